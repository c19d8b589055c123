// Package help is norn help: the help of commands, and the topics that concern all of them.
package help

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"norn/internal/cli"
	"norn/internal/config"
	"norn/internal/manual"
	"norn/internal/ui"
)

// Add gives root norn's help, the help command and its topics.
func Add(a *cli.App, root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { manual.Help(a.Streams.Out, cmd, ui.Width(a.Streams.Out)) })
	root.SetHelpCommand(newCommand())
	root.AddCommand(
		&cobra.Command{Use: "environment", Short: "the settings, and the variables that they can be made with", Long: environmentText()},
		&cobra.Command{Use: "exit-codes", Short: "what norn's exit codes mean", Long: exitText()},
		newFlagsTopic(a, root),
	)
}

func newCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND | TOPIC]",
		Short:   "Tell about a command or a topic",
		Long:    "Tells what a command does, with examples and all its flags, as COMMAND --help does; or about one of the topics that norn help lists.",
		Example: "  norn help deploy\n  norn help secrets set\n  norn help exit-codes",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
			at, _, err := cmd.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, c := range append(manual.Commands(at), manual.Topics(at)...) {
				if strings.HasPrefix(c.Name(), begin) {
					names = append(names, c.Name()+"\t"+c.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			at, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				word := strings.Join(args, " ")
				return cli.Usagef("there is no help on %q%s", word, cli.Suggestion(cmd.Root(), word))
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
}

// newFlagsTopic tells about the flags of all commands, kubectl's rare ones too.
func newFlagsTopic(a *cli.App, root *cobra.Command) *cobra.Command {
	topic := &cobra.Command{Use: "flags", Short: "the flags that all commands take"}
	topic.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		width := min(ui.Width(a.Streams.Out), 100)
		common, rare := pflag.NewFlagSet("", pflag.ContinueOnError), pflag.NewFlagSet("", pflag.ContinueOnError)
		root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
			shown := *f
			shown.Hidden = false
			if f.Hidden {
				rare.AddFlag(&shown)
			} else {
				common.AddFlag(&shown)
			}
		})
		_, _ = fmt.Fprintf(a.Streams.Out, "All commands take these flags:\n\n%s\nand these, which mean what they mean to kubectl:\n\n%s",
			manual.Flags(common, width), manual.Flags(rare, width))
	})
	return topic
}

func exitText() string {
	var b strings.Builder
	b.WriteString("norn ends with one of these, so that scripts can tell what happened:\n\n")
	for _, e := range cli.Exits() {
		fmt.Fprintf(&b, "  %-5d %s\n", e.Code, e.Meaning)
	}
	b.WriteString("\nnorn run, norn invoke and norn secrets exec end as their command does.")
	return b.String()
}

func environmentText() string {
	var b strings.Builder
	b.WriteString(`A setting is looked for in four places, and the first that has it wins: the flag, the environment, the settings file
$XDG_CONFIG_HOME/norn/config.yaml (usually ~/.config/norn/config.yaml), the default.` + "\n\n")
	for _, s := range config.Settings() {
		fmt.Fprintf(&b, "  %s\n", s.Variable)
		about := s.About
		if s.Default != "" {
			about += " (" + s.Default + ")"
		}
		fmt.Fprintf(&b, "      %s\n      in the file: %s", about, s.Key)
		if s.Flag != "" {
			fmt.Fprintf(&b, "; flag: --%s", s.Flag)
		}
		b.WriteByte('\n')
	}
	b.WriteString(`
KUBECONFIG names the kubeconfig, as for kubectl. The key of the secrets is found as SOPS finds it: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE. NO_COLOR takes the colours
away, CLICOLOR_FORCE brings them back.`)
	return b.String()
}
