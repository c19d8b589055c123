// Package manual generates the documentation of the commands from the commands themselves: help on a terminal, the
// command reference, and man pages.
//
// A command's Long text is a list of paragraphs, which are wrapped to the available width. Paragraphs that begin with
// two spaces stay unchanged.
package manual

import (
	"cmp"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// orderKey is the annotation for a command's position in its list. Cobra itself sorts only by name.
const orderKey = "norn/order"

// Group is a list of commands that belong together.
type Group struct {
	Title    string
	Commands []*cobra.Command
}

// AddGroups adds commands to root. Help shows them in the order of groups.
func AddGroups(root *cobra.Command, groups []Group) {
	place := 'a'
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.Title, Title: g.Title})
		for _, c := range g.Commands {
			c.GroupID = g.Title
			c.Annotations = map[string]string{orderKey: string(place)}
			place++
			root.AddCommand(c)
		}
	}
}

// Commands returns the available commands below cmd, in their order.
func Commands(cmd *cobra.Command) []*cobra.Command {
	available := below(cmd, (*cobra.Command).IsAvailableCommand)
	slices.SortStableFunc(available, func(a, b *cobra.Command) int {
		return cmp.Compare(a.Annotations[orderKey], b.Annotations[orderKey])
	})
	return available
}

// Topics returns the commands below cmd that only show a text.
func Topics(cmd *cobra.Command) []*cobra.Command {
	return below(cmd, (*cobra.Command).IsAdditionalHelpTopicCommand)
}

func below(cmd *cobra.Command, keep func(*cobra.Command) bool) []*cobra.Command {
	var kept []*cobra.Command
	for _, c := range cmd.Commands() {
		if keep(c) {
			kept = append(kept, c)
		}
	}
	return kept
}

type paragraph struct {
	text     string
	verbatim bool // keep its lines
}

func paragraphs(text string) []paragraph {
	var out []paragraph
	for block := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		if strings.HasPrefix(block, "  ") {
			out = append(out, paragraph{block, true})
		} else if block != "" {
			out = append(out, paragraph{strings.Join(strings.Fields(block), " "), false})
		}
	}
	return out
}

// about returns the description of cmd.
func about(cmd *cobra.Command) string { return cmp.Or(cmd.Long, cmd.Short) }

// wrap wraps text to width columns. It breaks at spaces only: a flag must not be split at its hyphen.
func wrap(text string, width int) string {
	var b strings.Builder
	used := 0
	for _, word := range strings.Fields(text) {
		n := ansi.StringWidth(word)
		switch {
		case used == 0:
		case used+1+n > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String()
}

// indent indents all lines but the first by by spaces.
func indent(text string, by int) string {
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", by))
}

// ownFlags returns the flags of cmd alone, without --help.
func ownFlags(cmd *cobra.Command) *pflag.FlagSet {
	return visible(cmd.LocalFlags(), func(f *pflag.Flag) bool {
		return f.Name != "help" && cmd.InheritedFlags().Lookup(f.Name) == nil
	})
}

// inheritedFlags returns the global flags of cmd.
func inheritedFlags(cmd *cobra.Command) *pflag.FlagSet { return visible(cmd.InheritedFlags(), nil) }

// visible returns the flags that are not hidden and that want accepts; a nil want accepts all.
func visible(flags *pflag.FlagSet, want func(*pflag.Flag) bool) *pflag.FlagSet {
	out := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && (want == nil || want(f)) {
			out.AddFlag(f)
		}
	})
	return out
}

// flagName returns a flag as it is written, such as -o/--output.
func flagName(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand + "/--" + f.Name
	}
	return "--" + f.Name
}
