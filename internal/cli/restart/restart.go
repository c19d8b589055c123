// Package restart is norn restart.
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
		Short: "Replace the app's pods one after the other, and wait",
		Long: `Replaces the app's pods as kubectl rollout restart does, and waits until every new one is available and every old one gone. It ships nothing: image,
environment and secrets are those of the last deploy.`,
		Example: "  norn restart\n  norn restart shop --timeout 10m",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.RunRollout(cmd, args, *r) },
	}
	r.Bind(cmd)
	return cmd
}
