package main

import (
	"context"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
)

func newRestartCmd(a *app) *cobra.Command {
	var target rollout.Target
	var flags rolloutFlags
	cmd := &cobra.Command{
		Use:   "restart [APP]",
		Short: "Replace the app's pods one after the other, and wait",
		Long: `Replaces the app's pods as kubectl rollout restart does, and waits until every new one is available and every old one gone. It ships nothing: image,
environment and secrets are those of the last deploy.`,
		Example: "  norn restart\n  norn restart shop --timeout 10m",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.rollOver(cmd, args, flags, target, func(ctx context.Context, c *k8s.Client, out ui.Progress, t rollout.Target) error {
				return deploy.Restart(ctx, c, out, t)
			})
		},
	}
	flags.bind(cmd)
	bindLock(cmd, &target.Lock)
	return cmd
}
