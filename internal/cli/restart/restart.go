// Package restart implements norn restart.
package restart

import (
	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/pkg/deploy"
)

// New returns norn restart.
func New(a *cli.App) *cobra.Command {
	r := &cli.Rollout{Do: deploy.Restart}
	cmd := &cobra.Command{
		Use:   "restart [APP]",
		Short: "Replace the app's Pods with new ones, and wait",
		Long: `Replaces the app's Pods like kubectl rollout restart, and waits until every new Pod is available and
every old one is terminating. The version does not change: the Pods get the image, environment and
secrets of the last deploy. After norn secrets set, run norn deploy.`,
		Example: "  norn restart\n  norn restart shop --timeout 10m",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.RunRollout(cmd, args, *r) },
	}
	r.Bind(cmd)
	return cmd
}
