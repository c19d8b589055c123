// Package manual tells what the commands do, from the commands themselves: help on a terminal, the command reference, and man pages.
//
// A command's Long text is paragraphs, filled anew to the width that there is; lines that begin with two spaces stay as they are.
package manual

import (
	"cmp"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// orderKey is the annotation that a command's place among the others is kept in; cobra knows the alphabet only.
const orderKey = "norn/order"

// Group are commands that belong together.
type Group struct {
	Title    string
	Commands []*cobra.Command
}

// AddGroups adds commands to root, to be shown in this order.
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

// Commands are those below cmd that a user may call, in their order.
func Commands(cmd *cobra.Command) []*cobra.Command {
	shown := slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool { return !c.IsAvailableCommand() })
	slices.SortStableFunc(shown, func(a, b *cobra.Command) int { return cmp.Compare(a.Annotations[orderKey], b.Annotations[orderKey]) })
	return shown
}

// Topics are the commands that only hold a text.
func Topics(cmd *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool { return !c.IsAdditionalHelpTopicCommand() })
}

// paragraph is one of a text; a verbatim one keeps its lines.
type paragraph struct {
	text     string
	verbatim bool
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

// about is a command's text.
func about(cmd *cobra.Command) string { return cmp.Or(cmd.Long, cmd.Short) }

// wrap fills text to a width. It breaks at spaces only: a flag is no word to be broken at its hyphen.
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

// indent puts space before every line but the first.
func indent(text string, by int) string {
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", by))
}

// ownFlags are a command's flags without --help, which all have.
func ownFlags(cmd *cobra.Command) *pflag.FlagSet {
	return visible(cmd.LocalFlags(), func(f *pflag.Flag) bool { return f.Name != "help" && cmd.InheritedFlags().Lookup(f.Name) == nil })
}

func visible(flags *pflag.FlagSet, want func(*pflag.Flag) bool) *pflag.FlagSet {
	out := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && want(f) {
			out.AddFlag(f)
		}
	})
	return out
}

// flagName is how a flag is written.
func flagName(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand + "/--" + f.Name
	}
	return "--" + f.Name
}
