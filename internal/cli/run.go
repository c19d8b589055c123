package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"norn/internal/job"
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
				return &usageError{err: errors.New("the command stands behind --: norn run APP -- COMMAND")}
			}
			return a.runOnce(cmd.Context(), "run", func() (*oneOff, error) {
				s, err := a.connect(cmd.Context(), cmd, "run")
				if err != nil {
					return nil, err
				}
				if r.App, err = a.name(argument(args[:dash], 0), s.conf); err != nil {
					return nil, err
				}
				r.Namespace = s.conf.Namespace
				return &oneOff{s.title("run", r.App), r, func(ctx context.Context, r job.Request) error {
					return job.Command(ctx, s.client, r, args[dash:])
				}}, nil
			})
		},
	}
	cmd.Flags().Var((*positive)(&r.Timeout), "timeout", "how long it may take (default as long as it likes)")
	return cmd
}
