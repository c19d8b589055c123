// Package help implements norn help: the help of each command, and topics about all commands.
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

// Add adds norn's help, the help command and its topics to root.
func Add(a *cli.App, root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { manual.Help(a.Streams.Out, cmd, ui.Width(a.Streams.Out)) })
	root.SetHelpCommand(newCommand())
	root.AddCommand(
		&cobra.Command{Use: "environment", Short: "settings and their environment variables", Long: environmentText()},
		&cobra.Command{Use: "exit-codes", Short: "exit codes and their meaning", Long: exitText()},
		newFlagsTopic(a, root),
	)
}

func newCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND | TOPIC]",
		Short: "Show the help of a command or a topic",
		Long: `Shows what a command does, with examples and all its flags, like COMMAND --help. Also shows topics, which
norn help lists.`,
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
				return cli.NoHelp(cmd.Root(), word)
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
}

// newFlagsTopic returns the topic about the flags of all commands, including kubectl's rare ones.
func newFlagsTopic(a *cli.App, root *cobra.Command) *cobra.Command {
	topic := &cobra.Command{Use: "flags", Short: "flags of all commands"}
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
		_ = ui.PrintText(a.Streams.Out, fmt.Sprintf(
			"All commands accept these flags:\n\n%s\nand these, with the same meaning as in kubectl:\n\n%s",
			manual.Flags(common, width), manual.Flags(rare, width)))
	})
	return topic
}

func exitText() string {
	var b strings.Builder
	b.WriteString("norn exits with one of these codes:\n\n")
	for _, e := range cli.Exits() {
		fmt.Fprintf(&b, "  %-5d %s\n", e.Code, e.Meaning)
	}
	b.WriteString("\nnorn run, norn invoke and norn secrets exec exit with the exit code of their command.")
	return b.String()
}

func environmentText() string {
	var b strings.Builder
	b.WriteString(`norn looks for each setting in this order: the flag, the environment variable, the settings file
$XDG_CONFIG_HOME/norn/config.yaml (usually ~/.config/norn/config.yaml), the default.` + "\n\n")
	for _, s := range config.Settings() {
		fmt.Fprintf(&b, "  %s\n", s.Variable)
		about := s.About
		if s.Default != "" {
			about += " (default: " + s.Default + ")"
		}
		var places []string
		if s.Key != "" {
			places = append(places, "in the file: "+s.Key)
		}
		if s.Flag != "" {
			places = append(places, "flag: --"+s.Flag)
		}
		fmt.Fprintf(&b, "      %s\n      %s\n", about, strings.Join(places, "; "))
	}
	b.WriteString(`
KUBECONFIG is the path to the kubeconfig, as for kubectl. norn looks for age keys where SOPS does, such as
in SOPS_AGE_KEY and SOPS_AGE_KEY_FILE. NO_COLOR turns colors off, and CLICOLOR_FORCE turns them on.`)
	return b.String()
}
