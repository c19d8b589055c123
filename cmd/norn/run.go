package main

import (
	"errors"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/job"
)

func newRunCmd(a *app) *cobra.Command {
	var r job.Request
	cmd := &cobra.Command{
		Use:   "run [APP] -- COMMAND [ARG…]",
		Short: "Run a command once, in the app's own image and environment",
		Long: `Makes a Job from the app's pod template, with its image, environment, secrets and volumes, shows what the command prints,
and deletes the Job. The command's exit code is norn's. Ctrl-C ends the Job. The app's own pods are left alone.`,
		Example: "  norn run shop -- bin/console migrate\n  norn run -- env",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			dash := cmd.ArgsLenAtDash()
			if dash < 0 || dash == len(args) || dash > 1 {
				return &usageError{errors.New("the command stands behind --: norn run APP -- COMMAND")}
			}
			s, err := a.connect(cmd.Context(), cmd, "run")
			if err != nil {
				return err
			}
			name, err := a.name(argument(args[:dash], 0), s.conf)
			if err != nil {
				return err
			}
			r.Namespace, r.App, r.Out = s.conf.Namespace, name, a.streams.Out
			r.Say = func(text string) { ui.PrintWarning(a.streams.Err, text) }
			return job.Command(cmd.Context(), s.client, r, args[dash:])
		},
	}
	cmd.Flags().Var((*positive)(&r.Timeout), "timeout", "how long it may take (default as long as it likes)")
	return cmd
}
