// Package rollback is norn rollback.
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
		Short: "Go back to the last version that was known to run, and wait",
		Long: `Restores the pod template of the newest revision before the current one whose rollout norn has
watched to its good end, as kubectl rollout undo would, and waits until it runs. The values
of the app's Secret stay as they are, and so does the database: norn snapshots restore brings that back.`,
		Example: "  norn rollback shop\n  norn rollback shop --to 7",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("to") && revision == "" {
				return cli.Usagef("--to names no revision")
			}
			return a.RunRollout(cmd, args, *r)
		},
	}
	cmd.Flags().StringVar(&revision, "to", "", "revision number or commit to go to")
	r.Bind(cmd)
	return cmd
}
