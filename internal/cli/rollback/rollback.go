// Package rollback implements norn rollback.
package rollback

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/pkg/deploy"
	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// New returns norn rollback.
func New(a *cli.App) *cobra.Command {
	var choice deploy.Choice
	r := &cli.Rollout{Do: func(ctx context.Context, c *k8s.Client, out pipeline.Reporter, t rollout.Target) error {
		return deploy.Rollback(ctx, c, out, t, choice)
	}}
	r.Ask = func(ctx context.Context, s *cli.Session, t rollout.Target) error { return ask(ctx, a, s, t, &choice) }
	cmd := &cobra.Command{
		Use:   "rollback [APP]",
		Short: "Go back to the last verified version, and wait",
		Long: `Restores the Pod template of the newest verified revision before the current one, like kubectl rollout
undo, and waits until it runs. A revision is verified if norn saw its rollout succeed. If the
rollback fails, norn restores the revision that ran before.

A second rollback returns to the version that the first one left. Pass --to to go further back. norn
asks before it rolls back to a revision that failed or never ran. All processes of the app go back.
A process that the revision does not have is scaled to 0. A rollback does not restore the database: see
norn snapshots restore. It leaves the values in the app's Secret as they are, unless the deploy that
changed them was interrupted.`,
		Example: "  norn rollback shop\n  norn rollback shop --to 7",
		Args:    cli.AtMost(1, "pass the revision with --to, such as norn rollback shop --to 7"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("to") && choice.Revision == "" {
				return cli.Usagef("--to is empty; set it to a revision number or a commit")
			}
			return a.RunRollout(cmd, args, *r)
		},
	}
	cmd.Flags().StringVar(&choice.Revision, "to", "", "revision number or commit to go back to")
	cmd.Flags().BoolVarP(&choice.Confirmed, "yes", "y", false,
		"skip the confirmation for a revision that failed or never ran, and for a protected environment")
	r.Bind(cmd)
	return cmd
}

// ask asks before a rollback to a revision that failed or never ran.
func ask(ctx context.Context, a *cli.App, s *cli.Session, t rollout.Target, choice *deploy.Choice) error {
	if choice.Confirmed {
		return nil
	}
	revision, doubt, err := deploy.Doubt(ctx, s.Client, t, *choice)
	if err != nil || doubt == "" {
		return err
	}
	question := fmt.Sprintf("%s to %s", s.Title("roll back", t.App), revision)
	err = a.Confirm(ctx, fmt.Sprintf("rollback to %s (%s)", revision, doubt), question, doubt)
	choice.Confirmed = err == nil
	return err
}
