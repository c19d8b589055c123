package manual

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// maxWidth keeps lines short enough to read comfortably.
const maxWidth = 100

// Help prints the help of cmd, for a terminal of width columns.
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
		fmt.Fprintf(&p.b, "\nSee %s COMMAND --help for details.\n", cmd.CommandPath())
	}
	_, _ = io.WriteString(w, p.b.String())
}

// usage returns the usage line of cmd.
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

// commands lists the commands below cmd, by group.
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
		rest = "Other commands"
	}
	list(rest, func(c *cobra.Command) bool { return c.GroupID == "" }, all)
	list("Topics for "+cmd.CommandPath()+" help", func(*cobra.Command) bool { return true }, Topics(cmd))
}

// flags lists the flags of cmd, and the names of the global flags. The help of norn itself has only the names, so that
// its commands stay on the screen.
func (p *printer) flags(cmd *cobra.Command) {
	own, global, accept := ownFlags(cmd), inheritedFlags(cmd), "also accept"
	if !cmd.HasParent() {
		own, global, accept = global, own, "accept"
	}
	if own.HasFlags() {
		p.title("Flags")
		p.b.WriteString(Flags(own, p.width))
	}
	var names []string
	global.VisitAll(func(f *pflag.Flag) { names = append(names, flagName(f)) })
	if len(names) > 0 {
		p.b.WriteByte('\n')
		all := strings.Join(names, ", ")
		p.line(0, fmt.Sprintf("All commands %s %s: see %s help flags.", accept, all, cmd.Root().CommandPath()))
	}
}

// Flags returns the list of flags, in lines of at most width columns.
func Flags(flags *pflag.FlagSet, width int) string {
	var b strings.Builder
	for line := range strings.Lines(flags.FlagUsagesWrapped(width)) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}
