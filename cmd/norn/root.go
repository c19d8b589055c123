package main

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

const longHelp = `norn puts an app on Kubernetes from the infraspec.yaml beside its source: it makes
the objects, builds and ships versions, and says at once when one does not come up.

APP is a folder or a file (./shop), an app's name (found in the apps folder), or nothing:
the infraspec.yaml here or in the nearest folder above.`

// shownKubeFlags are the kubectl flags that help lists; the others work and are hidden.
var shownKubeFlags = map[string]bool{"kubeconfig": true, "context": true, "namespace": true, "as": true, "request-timeout": true}

func newRootCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:           "norn",
		Short:         "Put an app on Kubernetes",
		Long:          longHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("unknown command %q%s", args[0], suggestion(cmd, args[0]))}
			}
			return cmd.Help()
		},
	}
	cmd.SetIn(a.streams.In)
	cmd.SetOut(a.streams.Out)
	cmd.SetErr(a.streams.Err)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{plainFlagError(err)} })

	a.kube = genericclioptions.NewConfigFlags(true)
	a.kube.CacheDir = nil // norn keeps nothing on disk
	flags := cmd.PersistentFlags()
	a.kube.AddFlags(flags)
	flags.VisitAll(func(f *pflag.Flag) { f.Hidden = !shownKubeFlags[f.Name] })
	flags.Lookup("namespace").Usage = `namespace of the app (NORN_NAMESPACE; default "default")`
	flags.String("apps-dir", "", "folder in which apps are found by name (NORN_APPS_DIR; default ~/projects)")
	flags.VarP(&outputFlag{&a.JSON}, "output", "o", "json for machine-readable output")
	flags.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress: results, warnings and errors only")
	flags.BoolVarP(&a.Verbose, "verbose", "v", false, "say more: all that steps print, what validate and logs leave out")

	for _, sub := range []*cobra.Command{
		newForgeCmd(a), newDiffCmd(a), newDeployCmd(a), newRestartCmd(a), newRollbackCmd(a), newHistoryCmd(a), newLogsCmd(a), newTeardownCmd(a),
		newRunCmd(a), newInvokeCmd(a), newSnapshotsCmd(a), newSecretsCmd(a),
		newInitCmd(a), newStatusCmd(a), newDoctorCmd(a), newValidateCmd(a), newRenderCmd(a), newSchemaCmd(a), newVersionCmd(a),
	} {
		sub.Args = asUsage(sub.Args)
		cmd.AddCommand(sub)
	}
	return cmd
}

// goNumber is what Go says of a text that is no number.
var goNumber = regexp.MustCompile(`strconv\.Parse\w+: parsing .*`)

func plainFlagError(err error) error {
	return errors.New(goNumber.ReplaceAllString(err.Error(), "it is no number that could be meant"))
}

func suggestion(cmd *cobra.Command, word string) string {
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		return fmt.Sprintf("; did you mean %q?", near[0])
	}
	return ""
}

// asUsage makes a wrong number of arguments a usage error.
func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{err}
		}
		return nil
	}
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
