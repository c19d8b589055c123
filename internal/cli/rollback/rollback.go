// Package rollback implements norn rollback.
package rollback

import (
	"context"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/pkg/deploy"
	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// New returns norn rollback.
func New(a *cli.App) *cobra.Command {
	var revision string
	r := &cli.Rollout{Do: func(ctx context.Context, c *k8s.Client, out pipeline.Reporter, t rollout.Target) error {
		return deploy.Rollback(ctx, c, out, t, revision)
	}}
	cmd := &cobra.Command{
		Use:   "rollback [APP]",
		Short: "Go back to the last verified version, and wait",
		Long: `Restores the Pod template of the newest verified revision before the current one, like kubectl rollout
undo, and waits until it runs. A revision is verified if norn saw its rollout succeed. The values in
the app's Secret are not restored, and neither is the database: see norn snapshots restore.`,
		Example: "  norn rollback shop\n  norn rollback shop --to 7",
		Args:    cli.AtMost(1, "pass the revision with --to, such as norn rollback shop --to 7"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("to") && revision == "" {
				return cli.Usagef("--to is empty; set it to a revision number or a commit")
			}
			return a.RunRollout(cmd, args, *r)
		},
	}
	cmd.Flags().StringVar(&revision, "to", "", "revision number or commit to go back to")
	r.Bind(cmd)
	return cmd
}
