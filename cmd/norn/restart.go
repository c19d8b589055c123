package main

import (
	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/deploy"
)

func newRestartCmd(a *app) *cobra.Command {
	var target deploy.Target
	var rollout rolloutFlags
	cmd := &cobra.Command{
		Use:   "restart [APP]",
		Short: "Replace the app's pods one after the other, and wait",
		Long: `Replaces the app's pods as kubectl rollout restart does, and waits until every new one is available and every old one gone. It ships nothing: image,
environment and secrets are those of the last deploy.`,
		Example: "  norn restart\n  norn restart shop --timeout 10m",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.connect(cmd.Context(), cmd, "restart")
			if err != nil {
				return err
			}
			name, err := a.name(argument(args, 0), s.conf)
			if err != nil {
				return err
			}
			target.Namespace, target.App = s.conf.Namespace, name
			rollout.set(&target, ".")
			target.Redactor = a.redactor
			a.hideLive(cmd.Context(), s, name)
			out := ui.NewRun(a.streams, a.json)
			defer out.Close()
			out.Begin(s.title("restart", name))
			return deploy.Restart(cmd.Context(), s.client, out, target)
		},
	}
	rollout.bind(cmd)
	return cmd
}
