package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"norn/internal/batch"
	"norn/internal/command"
	"norn/internal/config"
	"norn/internal/ui"
	"norn/pkg/deploy/source"
	"norn/pkg/infraspec"
	"norn/pkg/k8s/lease"
)

// allFlags are the flags of a command that works on one app or on all.
type allFlags struct {
	all   bool
	since string
	jobs  int
}

// The names of the flags that the run for one app does not get.
const (
	allFlag   = "all"
	sinceFlag = "changed-since"
	jobsFlag  = "jobs"
)

// diffCommand is the command that writes nothing, and whose exit code 1 may be a result.
const diffCommand = "diff"

// BindAll adds --all to a command for one app. With it, the command runs for every app in the apps folder, each in a
// process of its own.
func (a *App) BindAll(cmd *cobra.Command) {
	var o allFlags
	flags := cmd.Flags()
	flags.BoolVar(&o.all, allFlag, false, "run for every app in the apps folder, in the order of their needs")
	flags.StringVar(&o.since, sinceFlag, "", "with --all: only the apps whose files differ from this commit")
	flags.IntVar(&o.jobs, jobsFlag, 4, "with --all: number of apps at a time")
	one := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case !o.all && (o.since != "" || flags.Changed(jobsFlag)):
			return Usagef("--%s and --%s need --%s", sinceFlag, jobsFlag, allFlag)
		case !o.all:
			return one(cmd, args)
		case len(args) > 0:
			return Usagef("--%s cannot be combined with APP: it means every app in the apps folder", allFlag)
		case o.jobs < 1:
			return Usagef("--%s must be at least 1", jobsFlag)
		}
		return a.runAll(cmd, o)
	}
}

// runAll runs cmd for all apps, and prints how it ended for each.
func (a *App) runAll(cmd *cobra.Command, o allFlags) error {
	ctx := cmd.Context()
	conf, err := a.Config(cmd)
	if err != nil {
		return err
	}
	if cmd.Name() != diffCommand && conf.From("apps_dir") == "" {
		return withHint(Usagef("--%s would %s every app in %s, the default apps folder", allFlag, cmd.Name(), conf.AppsDir),
			"name the folder with --apps-dir or NORN_APPS_DIR, such as --apps-dir .")
	}
	if strings.Trim(o.since, "0") == "" { // a CI system names the commit before a new branch 0000…
		o.since = ""
	}
	apps, err := a.chosenApps(ctx, cmd, conf, o.since)
	if err != nil {
		return err
	}
	if cmd.Name() == diffCommand {
		for i := range apps {
			apps[i].Needs = nil // it changes nothing that another app could need
		}
	}
	if !a.Quiet && !a.JSON {
		ui.PrintTitle(a.Streams.Err, fmt.Sprintf("%s %s in %s", cmd.Name(), Plural(len(apps), "app"), conf.AppsDir))
	}
	flags := flagsOf(cmd)
	out := newAllOutput(a, cmd.Name(), apps)
	defer lease.Hold(ctx)() // the runs end by themselves after a signal, also if they restore a version
	results := batch.Run(ctx, apps, o.jobs, func(ctx context.Context, app batch.App) int {
		args := slices.Concat(strings.Fields(cmd.CommandPath())[1:], flags, app.Flags, []string{"--", app.Path})
		stdout, stderr, end := out.of(app.Name)
		code, err := command.Self(ctx, stdout, stderr, args...)
		end()
		if err != nil {
			out.fail(app.Name, err)
			code = ExitFailed
		}
		return code
	})
	if ctx.Err() != nil {
		out.print(results)
		return context.Cause(ctx)
	}
	return out.conclude(results)
}

// chosenApps returns the apps that the command is for, in the order in which it runs for them. If it could not run for
// one of them, it returns an error, so that it runs for none.
func (a *App) chosenApps(
	ctx context.Context, cmd *cobra.Command, conf *config.Config, since string,
) ([]batch.App, error) {
	paths, err := infraspec.List(conf.AppsDir)
	if err != nil {
		return nil, err
	}
	var all []batch.App
	var wrong []error
	known := map[string]string{}
	for _, path := range paths {
		spec, _, err := infraspec.Load(path)
		if err == nil {
			err = fits(cmd, spec, conf)
		}
		if err == nil && known[spec.App] != "" {
			err = Usagef("%s and %s both set app: %s", known[spec.App], path, spec.App)
		}
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		known[spec.App] = path
		one := batch.App{Name: spec.App, Path: path}
		laid := spec
		if conf.Env != "" && len(spec.Environments) == 0 { // a command that only reads shows it as it is
			one.Flags = []string{"--env="}
		} else if laid, err = spec.In(conf.Env); err != nil {
			return nil, err
		}
		if cmd.Name() == "deploy" && !laid.Deploy {
			continue
		}
		changed := true
		if since != "" {
			changed, err = source.ChangedSince(ctx, filepath.Dir(path), laid.Build.Context, since)
		}
		if err != nil {
			return nil, err
		}
		if changed {
			one.Needs = laid.Needs
			all = append(all, one)
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	for _, app := range all {
		for _, name := range app.Needs {
			if known[name] == "" {
				return nil, Usagef("%s needs %s, which is not in %s", app.Name, name, conf.AppsDir)
			}
		}
	}
	return batch.Ordered(all)
}

// fits returns an error if the command could not run for an app in the chosen environment, or would ask.
func fits(cmd *cobra.Command, spec *infraspec.Spec, conf *config.Config) error {
	switch {
	case conf.Env == "" && len(spec.Environments) > 0:
		return noneChosen(spec)
	case conf.Env == "", len(spec.Environments) == 0 && cmd.Name() == diffCommand:
		return nil
	case len(spec.Environments) == 0:
		return withHint(Usagef("%s has no environments, so norn does not know where it belongs in environment %s",
			spec.App, conf.Env), fmt.Sprintf("add environments: {%s: {}} to its infraspec, or %s it alone, without --env",
			conf.Env, cmd.Name()))
	}
	chosen, err := spec.Chosen(conf.Env)
	if err != nil {
		return err
	}
	if chosen.Protected && cmd.Flags().Lookup("yes") != nil && !flagIsSet(cmd, "yes") && !flagIsSet(cmd, "dry-run") {
		return withHint(Usagef("environment %s of %s is protected, and --all asks for no confirmation", conf.Env, spec.App),
			"pass --yes to skip the confirmation")
	}
	return nil
}

// flagsOf returns the flags that the user has passed, without those of BindAll.
func flagsOf(cmd *cobra.Command) []string {
	var args []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if !slices.Contains([]string{allFlag, sinceFlag, jobsFlag}, f.Name) {
			for _, v := range values {
				args = append(args, fmt.Sprintf("--%s=%s", f.Name, v))
			}
		}
	})
	return args
}

// AllError reports that a command failed for some of all apps.
type AllError struct {
	Command      string
	Failed, Apps int
	Code         int // the exit code: that of the failures if they agree, else ExitFailed
}

// Error says for how many apps the command failed.
func (e *AllError) Error() string {
	return fmt.Sprintf("norn %s failed for %d of %s", e.Command, e.Failed, Plural(e.Apps, "app"))
}

// codeOf returns the exit code for several results.
func codeOf(results []batch.Result) int {
	code := ExitDone
	for _, r := range results {
		switch {
		case r.Code == ExitDone || r.Code == code:
		case code == ExitDone:
			code = r.Code
		default:
			return ExitFailed
		}
	}
	return code
}
