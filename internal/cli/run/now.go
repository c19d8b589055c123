package run

import (
	"cmp"
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
		if err := checkProcess(cmd.Context(), a, arg, conf); len(args) == 1 && process == "" && err != nil {
			return nil, err
		}
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
	if len(args) == 1 && process == "" {
		if spec := specHere(conf); spec != nil && spec.App != app && spec.ProcessSpec(app) != nil {
			return "", app
		}
	}
	return app, process
}

// specHere returns the infraspec of the current folder in the chosen environment, or nil.
func specHere(conf *config.Config) *infraspec.Spec {
	here, err := cli.Here()
	if err != nil {
		return nil
	}
	path, err := infraspec.Locate("", here, conf.AppsDir)
	if err != nil {
		return nil
	}
	spec, _ := infraspec.Inspect(path)
	if laid, err := spec.In(conf.Env); err == nil {
		spec = laid
	}
	return spec
}

// checkProcess returns an error if the only argument is certainly no app, and the app of the current folder has
// processes: the argument is then meant to be one of them.
func checkProcess(ctx context.Context, a *cli.App, arg string, conf *config.Config) error {
	spec := specHere(conf)
	if spec == nil || len(spec.Processes) == 0 || !infraspec.IsName(arg) || arg == spec.App {
		return nil
	}
	here, err := cli.Here()
	if err != nil {
		return err
	}
	if _, err := infraspec.Locate(arg, here, conf.AppsDir); err == nil {
		return nil
	}
	client, err := a.Dial(ctx)
	if err != nil {
		return nil //nolint:nilerr // the command reports it
	}
	namespace := conf.Namespace
	if chosen, err := spec.Chosen(conf.Env); err == nil {
		namespace = cmp.Or(chosen.Namespace, namespace)
	}
	if names, err := client.AppNames(ctx, namespace); err != nil || slices.Contains(names, arg) {
		return nil //nolint:nilerr // it may be an app
	}
	crons := cronsOf(spec)
	if len(crons) == 0 {
		return cli.Usagef("%s has no process %q, and there is no app of that name", spec.App, arg)
	}
	return cli.Usagef("%s has no process %q, and there is no app of that name; its cron processes are %s", spec.App, arg,
		strings.Join(crons, ", "))
}

// cronsOf returns the names of an app's processes with a schedule, except for the main one.
func cronsOf(spec *infraspec.Spec) []string {
	var names []string
	for _, w := range spec.Workloads()[1:] {
		if w.Role == infraspec.Cron {
			names = append(names, w.Process)
		}
	}
	return names
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
	crons := cronsOf(spec)
	switch len(crons) {
	case 0:
		return "", cli.Usagef("%s has no process with a schedule", app)
	case 1:
		return crons[0], nil
	}
	return "", cli.Usagef("name one of the cron processes of %s: %s", app, strings.Join(crons, ", "))
}
