package manual

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// maxWidth is as wide as a text is well read.
const maxWidth = 100

// Help prints what a command does, for a terminal of a width in columns.
func Help(w io.Writer, cmd *cobra.Command, width int) {
	p := &printer{width: min(width, maxWidth)}
	p.text(about(cmd))
	if cmd.IsAdditionalHelpTopicCommand() {
		_, _ = io.WriteString(w, p.b.String())
		return
	}
	p.title("Usage")
	p.line(2, usage(cmd))
	if cmd.Example != "" {
		p.title("Examples")
		p.b.WriteString(strings.TrimRight(cmd.Example, "\n") + "\n")
	}
	p.commands(cmd)
	p.flags(cmd)
	if len(Commands(cmd)) > 0 {
		fmt.Fprintf(&p.b, "\n%s COMMAND --help tells more about one.\n", cmd.CommandPath())
	}
	_, _ = io.WriteString(w, p.b.String())
}

// usage is how a command is called.
func usage(cmd *cobra.Command) string {
	if len(Commands(cmd)) > 0 {
		return cmd.CommandPath() + " COMMAND [flags]"
	}
	return cmd.UseLine()
}

type printer struct {
	b     strings.Builder
	width int
}

func (p *printer) title(text string) { fmt.Fprintf(&p.b, "\n%s:\n", text) }

func (p *printer) line(by int, text string) {
	fmt.Fprintf(&p.b, "%s%s\n", strings.Repeat(" ", by), indent(wrap(text, p.width-by), by))
}

func (p *printer) text(text string) {
	for i, block := range paragraphs(text) {
		if i > 0 {
			p.b.WriteByte('\n')
		}
		if block.verbatim {
			p.b.WriteString(block.text + "\n")
		} else {
			p.line(0, block.text)
		}
	}
}

// commands lists those below cmd, by groups where it has such.
func (p *printer) commands(cmd *cobra.Command) {
	all := Commands(cmd)
	column := 0
	for _, c := range append(all, Topics(cmd)...) {
		column = max(column, len(c.Name())+4)
	}
	list := func(title string, which func(*cobra.Command) bool, from []*cobra.Command) {
		for _, c := range from {
			if !which(c) {
				continue
			}
			if title != "" {
				p.title(title)
				title = ""
			}
			fmt.Fprintf(&p.b, "  %-*s%s\n", column-2, c.Name(), indent(wrap(c.Short, p.width-column), column))
		}
	}
	for _, g := range cmd.Groups() {
		list(g.Title, func(c *cobra.Command) bool { return c.GroupID == g.ID }, all)
	}
	rest := "Commands"
	if len(cmd.Groups()) > 0 {
		rest = "More"
	}
	list(rest, func(c *cobra.Command) bool { return c.GroupID == "" }, all)
	list("Topics of "+cmd.CommandPath()+" help", func(*cobra.Command) bool { return true }, Topics(cmd))
}

// flags lists a command's own, and the names of those that all commands have.
func (p *printer) flags(cmd *cobra.Command) {
	if own := ownFlags(cmd); own.HasFlags() {
		p.title("Flags")
		p.b.WriteString(Flags(own, p.width))
	}
	if !cmd.HasParent() {
		return
	}
	var names []string
	visible(cmd.InheritedFlags(), func(*pflag.Flag) bool { return true }).VisitAll(func(f *pflag.Flag) { names = append(names, flagName(f)) })
	if len(names) > 0 {
		p.b.WriteByte('\n')
		p.line(0, fmt.Sprintf("All commands take %s too: %s help flags.", strings.Join(names, ", "), cmd.Root().CommandPath()))
	}
}

// Flags lists flags, a line or more each.
func Flags(flags *pflag.FlagSet, width int) string {
	var b strings.Builder
	for line := range strings.Lines(flags.FlagUsagesWrapped(width)) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}
