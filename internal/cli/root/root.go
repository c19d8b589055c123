// Package root puts the commands of norn together, and runs one call.
package root

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"norn/internal/cli"
	"norn/internal/cli/completion"
	"norn/internal/cli/deploy"
	"norn/internal/cli/diff"
	"norn/internal/cli/docs"
	"norn/internal/cli/doctor"
	"norn/internal/cli/forge"
	"norn/internal/cli/help"
	"norn/internal/cli/history"
	"norn/internal/cli/initcmd"
	"norn/internal/cli/invoke"
	"norn/internal/cli/logs"
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

const longHelp = `norn puts an app on Kubernetes from the infraspec.yaml beside its source: it makes the objects, builds and ships versions, and says
at once when one does not come up.

APP is a folder or a file (./shop), an app's name (found in the apps folder), or nothing: the infraspec.yaml here or in the nearest folder above.`

const rootExamples = `  norn init        # write an infraspec.yaml for the folder
  norn forge       # make the app's objects
  norn deploy      # ship a version, and wait until it runs
  norn logs -f     # watch it
  norn rollback    # go back to the version before`

// kubeFlags are the kubectl flags that help lists, in norn's words; the others work and are hidden.
func kubeFlags() map[string]string {
	return map[string]string{
		"kubeconfig":      "path of the kubeconfig (KUBECONFIG; default ~/.kube/config)",
		"context":         "context of the kubeconfig to use (default its current one)",
		"namespace":       `namespace of the app (NORN_NAMESPACE; default "default")`,
		"as":              "user or service account to act as",
		"request-timeout": "how long to wait for the server's first answer (default 5s)",
	}
}

// New returns the command norn, with all commands below it.
func New(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:           "norn",
		Short:         "Put an app on Kubernetes",
		Long:          longHelp,
		Example:       rootExamples,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,

		PersistentPreRunE: func(cmd *cobra.Command, args []string) error { return checkOutput(a, cmd, args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("unknown command %q%s", args[0], cli.Suggestion(cmd, args[0]))
			}
			return cmd.Help()
		},
	}
	cmd.SetIn(a.Streams.In)
	cmd.SetOut(a.Streams.Out)
	cmd.SetErr(a.Streams.Err)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return cli.FlagError(err) })

	a.Kube = genericclioptions.NewConfigFlags(true)
	a.Kube.CacheDir = nil // norn keeps nothing on disk
	flags := cmd.PersistentFlags()
	a.Kube.AddFlags(flags)
	shown := kubeFlags()
	flags.VisitAll(func(f *pflag.Flag) {
		usage, ok := shown[f.Name]
		if f.Hidden = !ok; ok {
			f.Usage = usage
		}
	})
	flags.Lookup("request-timeout").DefValue = "" // what it says is of kubectl
	flags.String("apps-dir", "", "folder in which apps are found by name (NORN_APPS_DIR; default ~/projects)")
	flags.VarP(&outputFlag{&a.JSON}, "output", "o", "json for machine-readable output")
	flags.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress: results, warnings and errors only")
	flags.BoolVarP(&a.Verbose, "verbose", "v", false, "say more: all that steps print, what validate and logs leave out")

	manual.AddGroups(cmd, commands(a))
	help.Add(a, cmd)
	cmd.AddCommand(docs.New(a))
	checkArguments(cmd)
	completion.Bind(a, cmd)
	a.RenameCommands(cmd)
	return cmd
}

// commands are all of norn's, as its help shows them.
func commands(a *cli.App) []manual.Group {
	return []manual.Group{
		{Title: "Bring an app into the cluster", Commands: []*cobra.Command{forge.New(a), deploy.New(a), rollback.New(a), restart.New(a), teardown.New(a)}},
		{Title: "See how it is", Commands: []*cobra.Command{status.New(a), logs.New(a), history.New(a), diff.New(a)}},
		{Title: "Work with it", Commands: []*cobra.Command{run.New(a), invoke.New(a), secrets.New(a), snapshots.New(a)}},
		{Title: "Write its infraspec", Commands: []*cobra.Command{initcmd.New(a), validate.New(a), render.New(a), schema.New(a)}},
		{Title: "norn itself", Commands: []*cobra.Command{doctor.New(a), completion.New(a), version.New(a)}},
	}
}

// checkArguments makes a wrong number of arguments a usage error in all commands below cmd.
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
		if check(cmd, args) == nil {
			return nil
		}
		_, takes, _ := strings.Cut(cmd.Use, " ")
		return cli.Usagef("%s takes %s, and %s given", cli.CommandName(cmd), cmp.Or(takes, "no argument"), were(len(args)))
	}
}

func were(arguments int) string {
	if arguments == 1 {
		return "1 was"
	}
	return fmt.Sprintf("%d were", arguments)
}

// outputFlag is -o: human output, or json.
type outputFlag struct{ json *bool }

func (o *outputFlag) String() string { return "" }
func (o *outputFlag) Type() string   { return "format" }

// Set implements pflag.Value.
func (o *outputFlag) Set(s string) error {
	if s != "json" {
		return fmt.Errorf("%q is no output format; there is json", s)
	}
	*o.json = true
	return nil
}
