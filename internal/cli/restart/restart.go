// Package restart implements norn restart.
package restart

import (
	"context"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/pkg/deploy"
	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// New returns norn restart.
func New(a *cli.App) *cobra.Command {
	var process string
	r := &cli.Rollout{Do: func(ctx context.Context, c *k8s.Client, out pipeline.Reporter, t rollout.Target) error {
		return deploy.Restart(ctx, c, out, t, process)
	}}
	cmd := &cobra.Command{
		Use:   "restart [APP]",
		Short: "Replace the app's Pods with new ones, and wait",
		Long: `Replaces the app's Pods like kubectl rollout restart, and waits until every new Pod is available and
every old one is terminating. The version does not change: the Pods get the image, environment and
secrets of the last deploy. After norn secrets set, run norn deploy.

If the app has several processes, norn replaces the Pods of all, or of the one that --process names.`,
		Example: "  norn restart\n  norn restart shop --timeout 10m\n  norn restart shop --process worker",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.RunRollout(cmd, args, *r) },
	}
	cli.BindProcess(cmd.Flags(), &process, "process to restart; main is the app's main process (default all)")
	r.Bind(cmd)
	cli.BindConfirmed(cmd)
	return cmd
}
