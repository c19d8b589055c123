package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
)

func newRollbackCmd(a *app) *cobra.Command {
	var (
		revision string
		target   rollout.Target
		flags    rolloutFlags
	)
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
				return &usageError{err: errors.New("--to names no revision")}
			}
			return a.rollOver(cmd, args, flags, target, func(ctx context.Context, c *k8s.Client, out ui.Progress, t rollout.Target) error {
				return deploy.Rollback(ctx, c, out, t, revision)
			})
		},
	}
	cmd.Flags().StringVar(&revision, "to", "", "revision number or commit to go to")
	flags.bind(cmd)
	bindLock(cmd, &target.Lock)
	return cmd
}
