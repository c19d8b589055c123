// Package logs implements norn logs.
package logs

import (
	"context"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/logs"
	"norn/internal/ui"
	"norn/pkg/infraspec"
)

const long = `Shows the logs of all Pods of the app, each line once, merged by time. With -f, norn follows
new lines, new Pods and restarted containers until you interrupt it. If a stream breaks, norn resumes
it where it stopped.

An app with several processes shows the Pods of all of them; --process shows one.

norn hides containers that it does not manage, such as injected sidecars: --all-containers shows
them, and -c shows one. Each line begins with the name of its Pod, and of its container if norn
shows several. If there is nothing to read, norn says why: not deployed yet, scaled to 0, crash loop,
failed image pull, or no node. See docs/logs.md.`

const examples = `  norn logs shop --tail 20                 # the last 20 lines of each container
  norn logs -f --since 10m                 # the last ten minutes, then follow
  norn logs shop --grep 'status=5..' --grep-v healthz
  norn logs shop -f --revision new         # the Pods of the running rollout
  norn logs shop --process worker          # one process
  norn logs shop --pod x2x4z --previous    # last lines of a crashed container
  norn logs shop -o json | jq -r 'select(.fields.level=="error").message'`

// New returns norn logs.
func New(a *cli.App) *cobra.Command {
	f := &options{}
	cmd := &cobra.Command{
		Use:     "logs [APP]",
		Short:   "Show the logs of all Pods of the app",
		Long:    long,
		Example: examples,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.JSON = f.output == "json"
			if err := f.check(); err != nil {
				return err
			}
			s, err := a.Connect(cmd.Context(), cmd, cli.Purpose{Action: "log streaming", App: cli.Argument(args, 0)})
			if err != nil {
				return err
			}
			name, spec, err := a.FindName(cli.Argument(args, 0), s.Conf)
			if err != nil {
				return err
			}
			f.Namespace, f.App = s.Conf.Namespace, name
			if f.Workloads, err = f.workloads(cmd.Context(), s, spec); err != nil {
				return err
			}
			live, err := a.HideLive(cmd.Context(), s, name)
			if err != nil {
				return err
			}
			to := sink(a, f)
			to.BeforePod = live.BeforePod
			err = logs.Run(cmd.Context(), s.Client, f.Options, to)
			return s.CheckSpelling(cmd.Context(), name, err)
		},
	}
	f.bind(cmd.Flags())
	return cmd
}

// workloads returns the workloads whose logs are shown: that of --process, or those of all processes in the cluster.
func (f *options) workloads(ctx context.Context, s *cli.Session, spec *infraspec.Spec) ([]string, error) {
	if f.process != "" {
		process, err := s.CheckProcess(ctx, f.App, f.process, spec)
		return []string{infraspec.WorkloadName(f.App, process)}, err
	}
	names, err := s.Client.ProcessNames(ctx, f.Namespace, f.App)
	if err != nil {
		return nil, err
	}
	all := []string{f.App}
	for _, name := range names {
		all = append(all, infraspec.WorkloadName(f.App, name))
	}
	return all, nil
}

// sink returns a Sink that prints log lines to stdout and everything else to stderr.
func sink(a *cli.App, f *options) logs.Sink {
	printer := ui.NewLogPrinter(a.Streams.Out, ui.LogStyle{
		JSON: f.output == "json", NoPrefix: f.noPrefix || f.output == "raw", Times: f.times, Match: f.Lines.Match,
	})
	warn := func(text string) { ui.PrintWarning(a.Streams.Err, text) }
	s := logs.Sink{
		Out:    printer.Out(),
		Format: func(o logs.Origin) logs.Format { return printer.Lines(ui.LogOrigin(o)) },
		Notice: warn,
		Warn:   warn,
		Debug:  func(string) {},
	}
	if a.Verbose {
		s.Debug = func(text string) { _ = ui.PrintText(a.Streams.Err, text) }
	}
	return s
}
