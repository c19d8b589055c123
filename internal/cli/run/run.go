// Package run implements norn run.
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
		Use:   "run [APP] [flags] -- COMMAND [ARG…]",
		Short: "Run a command once, in the app's image and environment",
		Long: `Creates a Job from the app's Pod template, with its image, environment, secrets and volumes. Prints the
command's output, deletes the Job, and exits with the command's exit code. Ctrl-C ends the Job. The
app's own Pods are not affected.`,
		Example: "  norn run shop -- bin/console migrate\n  norn run -- env",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			dash := cmd.ArgsLenAtDash()
			if dash < 0 || dash == len(args) || dash > 1 {
				return cli.Usagef("no command after --; usage: norn run APP -- COMMAND")
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
					return s.CheckSpelling(ctx, r.App, job.Command(ctx, s.Client, r, args[dash:]))
				}}, nil
			})
		},
	}
	cmd.Flags().Var((*cli.Duration)(&r.Timeout), "timeout", "time limit for the command (default: none)")
	return cmd
}
