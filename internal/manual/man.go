package manual

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Edition is the version and date in the footer of man pages.
type Edition struct {
	Version string
	Date    time.Time
}

// Pages returns the man pages (man(7)) of root and all commands below it, by file name.
func Pages(root *cobra.Command, e Edition) map[string][]byte {
	pages := map[string][]byte{}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		pages[pageName(cmd)+".1"] = manPage(cmd, e)
		for _, c := range Commands(cmd) {
			walk(c)
		}
	}
	walk(root)
	return pages
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func manPage(cmd *cobra.Command, e Edition) []byte {
	p := &roff{}
	name, date := strings.ToUpper(pageName(cmd)), e.Date.UTC().Format(time.DateOnly)
	fmt.Fprintf(&p.b, ".TH %s 1 %s %s norn\n", quoted(name), date, quoted("norn "+e.Version))
	p.heading("NAME")
	p.line(pageName(cmd) + " - " + cmd.Short)
	p.heading("SYNOPSIS")
	path := cmd.CommandPath()
	p.b.WriteString(".B " + quoted(path) + "\n")
	p.line(strings.TrimSpace(strings.TrimPrefix(usage(cmd), path)))
	p.heading("DESCRIPTION")
	p.text(about(cmd))
	if all := Commands(cmd); len(all) > 0 {
		p.heading("COMMANDS")
		for _, c := range all {
			p.b.WriteString(".TP\n.BR " + quoted(pageName(c)) + " (1)\n")
			p.line(c.Short)
		}
	}
	p.options("OPTIONS", ownFlags(cmd))
	if cmd.HasParent() {
		p.options("OPTIONS OF ALL COMMANDS", inheritedFlags(cmd))
	}
	p.heading("EXAMPLES")
	p.verbatim(cmd.Example)
	for _, topic := range Topics(cmd) {
		if topic.Long != "" {
			p.heading(strings.ToUpper(strings.ReplaceAll(topic.Name(), "-", " ")))
			p.text(topic.Long)
		}
	}
	if cmd.HasParent() {
		p.heading("SEE ALSO")
		p.b.WriteString(".BR " + quoted(pageName(cmd.Parent())) + " (1)\n")
	}
	return []byte(p.b.String())
}

// roff writes a page in man macros.
type roff struct{ b strings.Builder }

func (p *roff) heading(text string) { p.b.WriteString(".SH " + quoted(text) + "\n") }

func (p *roff) line(text string) { p.b.WriteString(escaped(text) + "\n") }

func (p *roff) text(text string) {
	for i, par := range paragraphs(text) {
		switch {
		case par.verbatim:
			p.b.WriteString(".PP\n")
			p.verbatim(par.text)
		case i > 0:
			p.b.WriteString(".PP\n")
			p.line(par.text)
		default:
			p.line(par.text)
		}
	}
}

func (p *roff) verbatim(text string) {
	p.b.WriteString(".nf\n")
	for l := range strings.Lines(text) {
		p.line(strings.TrimSuffix(l, "\n"))
	}
	p.b.WriteString(".fi\n")
}

func (p *roff) options(title string, flags *pflag.FlagSet) {
	if !flags.HasFlags() {
		return
	}
	p.heading(title)
	flags.VisitAll(func(f *pflag.Flag) {
		name, what := described(f)
		fmt.Fprintf(&p.b, ".TP\n.B %s\n", escaped(name))
		p.line(what)
	})
}

// escaped escapes text that groff(7) would interpret.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

func quoted(text string) string { return `"` + strings.ReplaceAll(escaped(text), `"`, `\(dq`) + `"` }
