package cli

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"

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

func newRootCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:           "norn",
		Short:         "Put an app on Kubernetes",
		Long:          longHelp,
		Example:       rootExamples,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,

		PersistentPreRunE: a.checkOutput,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{err: fmt.Errorf("unknown command %q%s", args[0], suggestion(cmd, args[0]))}
			}
			return cmd.Help()
		},
	}
	cmd.SetIn(a.streams.In)
	cmd.SetOut(a.streams.Out)
	cmd.SetErr(a.streams.Err)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err: plainFlagError(err)} })

	a.kube = genericclioptions.NewConfigFlags(true)
	a.kube.CacheDir = nil // norn keeps nothing on disk
	flags := cmd.PersistentFlags()
	a.kube.AddFlags(flags)
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
	addHelp(a, cmd)
	checkArguments(cmd)
	bindCompletions(a, cmd)
	a.speakAs(cmd)
	return cmd
}

// commands are all of norn's, as its help shows them.
func commands(a *app) []manual.Group {
	return []manual.Group{
		{Title: "Bring an app into the cluster", Commands: []*cobra.Command{newForgeCmd(a), newDeployCmd(a), newRollbackCmd(a), newRestartCmd(a), newTeardownCmd(a)}},
		{Title: "See how it is", Commands: []*cobra.Command{newStatusCmd(a), newLogsCmd(a), newHistoryCmd(a), newDiffCmd(a)}},
		{Title: "Work with it", Commands: []*cobra.Command{newRunCmd(a), newInvokeCmd(a), newSecretsCmd(a), newSnapshotsCmd(a)}},
		{Title: "Write its infraspec", Commands: []*cobra.Command{newInitCmd(a), newValidateCmd(a), newRenderCmd(a), newSchemaCmd(a)}},
		{Title: "norn itself", Commands: []*cobra.Command{newDoctorCmd(a), newCompletionCmd(a), newVersionCmd(a)}},
	}
}

// group is a command that only holds others.
func group(name, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Long: long,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{err: fmt.Errorf("%s has no such command%s", cmd.CommandPath(), suggestion(cmd, args[0]))}
			}
			return cmd.Help()
		},
	}
}

// goNumber is what Go says of a text that is no number.
var goNumber = regexp.MustCompile(`strconv\.Parse\w+: parsing .*`)

// badValue is what the flags' library says of a value that does not fit; the last part is what the flag itself says.
var badValue = regexp.MustCompile(`(?s)^invalid argument (".*") for "(?:-\w, )?(--[\w-]+)" flag: (.*)$`)

// plainFlagError names the flag, the value and what is wrong with it, each once.
func plainFlagError(err error) error {
	text := goNumber.ReplaceAllString(err.Error(), "it is no number that could be meant")
	if m := badValue.FindStringSubmatch(text); m != nil {
		value, flag, problem := m[1], m[2], m[3]
		if strings.Contains(problem, value) {
			return fmt.Errorf("%s: %s", flag, problem)
		}
		return fmt.Errorf("%s %s: %s", flag, value, problem)
	}
	return errors.New(text)
}

func suggestion(cmd *cobra.Command, word string) string {
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		return fmt.Sprintf("; did you mean %q?", near[0])
	}
	return ""
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
		return &usageError{err: fmt.Errorf("%s takes %s, and %s given", nameOf(cmd), cmp.Or(takes, "no argument"), were(len(args)))}
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
