package run

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/config"
	"norn/internal/job"
	"norn/pkg/deploy"
	"norn/pkg/infraspec"
)

// runNow starts a run of a CronJob outside its schedule.
func runNow(a *cli.App, cmd *cobra.Command, args []string, flag string, r job.Request) error {
	if cmd.ArgsLenAtDash() >= 0 || len(args) > 2 {
		return cli.Usagef("--now runs the command of the schedule; usage: norn run [APP] --now [PROCESS]")
	}
	return a.RunOnce(cmd.Context(), "run", func() (*cli.OneOff, error) {
		conf, err := a.Config(cmd)
		if err != nil {
			return nil, err
		}
		arg, process := appAndProcess(args, flag, conf)
		s, err := a.Connect(cmd.Context(), cmd, cli.Purpose{Action: "run", App: arg, Access: cli.Writes})
		if err != nil {
			return nil, err
		}
		name, spec, err := a.FindName(arg, s.Conf)
		if err != nil {
			return nil, err
		}
		if process, err = s.CheckProcess(cmd.Context(), name, process, spec); err != nil {
			return nil, err
		}
		if process, err = scheduled(name, process, spec); err != nil {
			return nil, err
		}
		r.Workload = infraspec.WorkloadName(name, process)
		r.Namespace, r.App, r.Repository = s.Conf.Namespace, name, deploy.Repository(cmd.Context(), spec)
		r.Environment = s.Environment
		call := func(ctx context.Context, r job.Request) error {
			return s.CheckSpelling(ctx, r.App, job.Now(ctx, s.Client, r))
		}
		return &cli.OneOff{Title: s.Title("run", r.Workload), Request: r, Call: call}, nil
	})
}

// appAndProcess returns the app and the process in args, or that of the flag --process. A single argument is a process
// if the infraspec of the current folder has one of that name.
func appAndProcess(args []string, flag string, conf *config.Config) (app, process string) {
	app, process = cli.Argument(args, 0), cli.Argument(args, 1)
	if process == "" {
		process = flag
	}
	if here, err := cli.Here(); err == nil && len(args) == 1 && process == "" {
		if path, err := infraspec.Locate("", here, conf.AppsDir); err == nil {
			spec, _ := infraspec.Inspect(path)
			if laid, err := spec.In(conf.Env); err == nil {
				spec = laid
			}
			if _, found := spec.Processes[app]; found && spec.App != app {
				return "", app
			}
		}
	}
	return app, process
}

// scheduled returns the process with a schedule to run: the chosen one, the main one, or the only one. spec may be nil.
func scheduled(app, process string, spec *infraspec.Spec) (string, error) {
	if spec == nil || spec.App != app {
		return process, nil
	}
	if process != "" || spec.Role == infraspec.Cron {
		if one := spec.ProcessSpec(process); one != nil && one.Role != infraspec.Cron {
			return "", cli.Usagef("process %s of %s is a %s and has no schedule", one.ProcessName(), app, one.Role)
		}
		return process, nil
	}
	crons := slices.DeleteFunc(spec.Workloads()[1:], func(w *infraspec.Spec) bool { return w.Role != infraspec.Cron })
	switch len(crons) {
	case 0:
		return "", cli.Usagef("%s has no process with a schedule", app)
	case 1:
		return crons[0].Process, nil
	}
	var names []string
	for _, w := range crons {
		names = append(names, w.Process)
	}
	return "", cli.Usagef("name one of the cron processes of %s: %s", app, strings.Join(names, ", "))
}
