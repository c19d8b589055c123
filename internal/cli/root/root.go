// Package root combines norn's commands, and runs one call.
package root

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"norn/internal/cli"
	"norn/internal/cli/completion"
	"norn/internal/cli/deploy"
	"norn/internal/cli/diff"
	"norn/internal/cli/docs"
	"norn/internal/cli/doctor"
	"norn/internal/cli/env"
	"norn/internal/cli/forge"
	"norn/internal/cli/help"
	"norn/internal/cli/history"
	"norn/internal/cli/initcmd"
	"norn/internal/cli/invoke"
	"norn/internal/cli/logs"
	"norn/internal/cli/preview"
	"norn/internal/cli/promote"
	"norn/internal/cli/render"
	"norn/internal/cli/restart"
	"norn/internal/cli/rollback"
	"norn/internal/cli/run"
	"norn/internal/cli/schema"
	"norn/internal/cli/secrets"
	"norn/internal/cli/snapshots"
	"norn/internal/cli/status"
	"norn/internal/cli/teardown"
	"norn/internal/cli/validate"
	"norn/internal/cli/version"
	"norn/internal/manual"
)

const long = `norn deploys an app to Kubernetes from the infraspec.yaml beside its source. It creates the
objects, builds and ships versions, and reports within seconds if a version does not come up.

APP is a folder or a file (./shop), or the name of an app in the apps folder. Without APP, norn
uses the infraspec.yaml in the current folder or in the nearest folder above it.`

const examples = `  norn init        # write an infraspec.yaml for this folder
  norn deploy      # build a version, deploy it, and wait until it runs
  norn logs -f     # follow its logs
  norn rollback    # go back to the previous version`

// kubeFlags returns the kubectl flags that help lists, with norn's own descriptions. Other kubectl flags also work,
// and norn help flags lists them.
func kubeFlags() map[string]string {
	return map[string]string{
		"kubeconfig":      "path to the kubeconfig (KUBECONFIG; default ~/.kube/config)",
		"context":         "kubeconfig context to use (default: its current context)",
		"namespace":       `namespace of the app (NORN_NAMESPACE; default "default")`,
		"as":              "user or service account to impersonate",
		"request-timeout": "time limit for the server's first answer (default 5s)",
	}
}

// New returns norn, with all its commands.
func New(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:           "norn",
		Short:         "Deploy apps to Kubernetes",
		Long:          long,
		Example:       examples,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,

		PersistentPreRunE: func(cmd *cobra.Command, args []string) error { return checkOutput(a, cmd, args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return cli.UnknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	cmd.SetIn(a.Streams.In)
	cmd.SetOut(a.Streams.Out)
	cmd.SetErr(a.Streams.Err)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return cli.FlagError(err) })

	a.Kube = genericclioptions.NewConfigFlags(true)
	a.Kube.CacheDir = nil // norn caches nothing on disk
	flags := cmd.PersistentFlags()
	a.Kube.AddFlags(flags)
	shown := kubeFlags()
	flags.VisitAll(func(f *pflag.Flag) {
		usage, ok := shown[f.Name]
		if f.Hidden = !ok; ok {
			f.Usage = usage
		}
	})
	flags.Lookup("request-timeout").DefValue = "" // hide kubectl's default
	flags.String("apps-dir", "", "folder in which norn finds apps by name (NORN_APPS_DIR; default ~/projects)")
	flags.String("env", "", "environment of the app, from environments in its infraspec (NORN_ENV)")
	flags.VarP(&outputFlag{&a.JSON}, "output", "o", "output format: json")
	flags.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress, only results, warnings and errors")
	flags.BoolVarP(&a.Verbose, "verbose", "v", false, "print all output of steps, and details that validate and logs omit")

	manual.AddGroups(cmd, commands(a))
	help.Add(a, cmd)
	cmd.AddCommand(docs.New(a))
	checkArguments(cmd)
	a.ExplainDenials(cmd)
	completion.Bind(a, cmd)
	a.RenameCommands(cmd)
	return cmd
}

// commands returns all commands in the order of norn help.
func commands(a *cli.App) []manual.Group {
	return []manual.Group{
		{Title: "Deploy an app", Commands: []*cobra.Command{
			deploy.New(a), forge.New(a), promote.New(a), rollback.New(a), restart.New(a), teardown.New(a),
			preview.New(a),
		}},
		{Title: "Inspect an app", Commands: []*cobra.Command{status.New(a), logs.New(a), history.New(a), diff.New(a)}},
		{Title: "Work with an app", Commands: []*cobra.Command{
			run.New(a), invoke.New(a), secrets.New(a), snapshots.New(a),
		}},
		{Title: "Write an infraspec", Commands: []*cobra.Command{
			initcmd.New(a), validate.New(a), env.New(a), render.New(a), schema.New(a),
		}},
		{Title: "norn itself", Commands: []*cobra.Command{doctor.New(a), completion.New(a), version.New(a)}},
	}
}

// checkArguments makes a wrong number of arguments a UsageError in all commands below cmd.
func checkArguments(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		if sub.Args != nil {
			sub.Args = asUsage(sub.Args)
		}
		checkArguments(sub)
	}
}

func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if _, explained := errors.AsType[*cli.UsageError](err); err == nil || explained {
			return err
		}
		return cli.WrongArguments(cmd, args)
	}
}

// outputFlag is the value of -o.
type outputFlag struct{ json *bool }

// String implements pflag.Value.
func (o *outputFlag) String() string {
	if o.json != nil && *o.json {
		return "json"
	}
	return ""
}

// Type implements pflag.Value.
func (o *outputFlag) Type() string { return "format" }

// Set implements pflag.Value.
func (o *outputFlag) Set(s string) error {
	if s != "json" {
		return errors.New("must be json")
	}
	*o.json = true
	return nil
}
