// Package run implements norn run.
package run

import (
	"cmp"
	"context"
	"regexp"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/job"
	"norn/pkg/deploy"
	"norn/pkg/infraspec"
)

// New returns norn run.
func New(a *cli.App) *cobra.Command {
	var r job.Request
	var now bool
	var process string
	cmd := &cobra.Command{
		Use:   "run [APP] [flags] -- COMMAND [ARG…]",
		Short: "Run a command once, in the app's image and environment",
		Long: `Creates a Job from the app's Pod template, with its image, environment, secrets and volumes. Prints the
command's output, deletes the Job, and exits with the command's exit code. Ctrl-C ends the Job. The
app's own Pods are not affected.

The command gets norn's standard input if that is a pipe or a file. In a loop that reads its own list
from standard input, add </dev/null. Both of the command's output streams go to stdout, unless the
cluster can tell them apart: see docs/forge.md.

norn run [APP] --now [PROCESS] instead starts a run of a cron app, or of a cron process, outside its
schedule. The Job is the schedule's own, so norn status shows it as the last run. Ctrl-C deletes it.`,
		Example: "  norn run shop -- bin/console migrate\n  norn run -- env\n  norn run shop -- psql <fix.sql\n" +
			"  norn run shop --now nightly",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			dash := cmd.ArgsLenAtDash()
			if now {
				return runNow(a, cmd, args, process, r)
			}
			if dash < 0 || dash == len(args) || dash > 1 {
				return noCommand(a, cmd, args)
			}
			return a.RunOnce(cmd.Context(), "run", func() (*cli.OneOff, error) {
				s, err := a.Connect(cmd.Context(), cmd, cli.Purpose{
					Action: "run", App: cli.Argument(args[:dash], 0), Access: cli.Writes,
				})
				if err != nil {
					return nil, err
				}
				name, spec, err := a.FindName(cli.Argument(args[:dash], 0), s.Conf)
				if err != nil {
					return nil, err
				}
				if process, err = s.CheckProcess(cmd.Context(), name, process, spec); err != nil {
					return nil, err
				}
				r.Workload = infraspec.WorkloadName(name, process)
				r.Namespace, r.App, r.Repository = s.Conf.Namespace, name, deploy.Repository(cmd.Context(), spec)
				r.Environment = s.Environment
				r.In = input(a.Streams.In)
				return &cli.OneOff{Title: s.Title("run", r.App), Request: r, Call: func(ctx context.Context, r job.Request) error {
					return s.CheckSpelling(ctx, r.App, job.Command(ctx, s.Client, r, args[dash:]))
				}}, nil
			})
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if interactive.MatchString(err.Error()) {
			app := cmp.Or(cli.Argument(cmd.Flags().Args(), 0), "APP")
			return cli.Usagef("norn run is not interactive; to run a command in a running Pod, "+
				"use kubectl exec -it deploy/%s -- COMMAND", app)
		}
		return cli.FlagError(err)
	})
	cli.BindConfirmed(cmd)
	cmd.Flags().BoolVar(&now, "now", false, "start a run of a cron app or a cron process outside its schedule")
	cli.BindProcess(cmd.Flags(), &process, "use the Pod of this process (default: the main one)")
	cmd.Flags().Var((*cli.Duration)(&r.Timeout), "timeout", "time limit for the command (default: none)")
	return cmd
}

// interactive matches pflag's error for kubectl's and docker's flags of an interactive command.
var interactive = regexp.MustCompile(
	`^unknown (shorthand flag: '[it]' in -(i|t|it|ti)|flag: --(interactive|tty|stdin))$`)

// noCommand returns the error for a call without a command. For a cron app and a function, it suggests how to run the
// app's own command.
func noCommand(a *cli.App, cmd *cobra.Command, args []string) error {
	const text = "no command after --; usage: norn run APP -- COMMAND"
	conf, err := a.Config(cmd)
	if err != nil || len(args) != 1 {
		return cli.Usagef(text)
	}
	here, err := cli.Here()
	if err != nil {
		return cli.Usagef(text)
	}
	path, err := infraspec.Locate(args[0], here, conf.AppsDir)
	if err != nil {
		return cli.Usagef(text)
	}
	switch spec, _ := infraspec.Inspect(path); spec.Role {
	case infraspec.Cron:
		return cli.Usagef(text+"; to run the schedule's command now, run %s", cli.RunNow(spec.App))
	case infraspec.Function:
		return cli.Usagef(text+"; to call the function, run norn invoke %s", spec.App)
	case infraspec.Webserver, infraspec.Worker: // have no command that ends
	}
	return cli.Usagef(text)
}
