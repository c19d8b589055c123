// Package run is norn run.
package run

import (
	"context"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/job"
)

// New returns norn run.
func New(a *cli.App) *cobra.Command {
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
				return cli.Usagef("the command stands behind --: norn run APP -- COMMAND")
			}
			return a.RunOnce(cmd.Context(), "run", func() (*cli.OneOff, error) {
				s, err := a.Connect(cmd.Context(), cmd, "run")
				if err != nil {
					return nil, err
				}
				if r.App, err = a.Name(cli.Argument(args[:dash], 0), s.Conf); err != nil {
					return nil, err
				}
				r.Namespace = s.Conf.Namespace
				return &cli.OneOff{Title: s.Title("run", r.App), Request: r, Call: func(ctx context.Context, r job.Request) error {
					return job.Command(ctx, s.Client, r, args[dash:])
				}}, nil
			})
		},
	}
	cmd.Flags().Var((*cli.Duration)(&r.Timeout), "timeout", "how long it may take (default as long as it likes)")
	return cmd
}
