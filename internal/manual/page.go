package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const pageHead = `<!-- Generated from the commands by make docs. -->
# Commands

`

// Page returns the command reference in Markdown.
func Page(root *cobra.Command) []byte {
	var b strings.Builder
	b.WriteString(pageHead)
	markdown(&b, about(root))
	code(&b, "console", root.Example)
	for _, g := range root.Groups() {
		fmt.Fprintf(&b, "**%s:** ", escape(g.Title))
		var links []string
		for _, c := range Commands(root) {
			if c.GroupID == g.ID {
				links = append(links, link(c))
			}
		}
		b.WriteString(strings.Join(links, " · ") + "\n\n")
	}
	for _, c := range Commands(root) {
		section(&b, c)
	}
	b.WriteString("## Flags of all commands\n\n")
	flagTable(&b, visible(root.PersistentFlags(), nil))
	for _, topic := range Topics(root) {
		if topic.Long != "" {
			fmt.Fprintf(&b, "## %s\n\n", strings.ToUpper(topic.Short[:1])+topic.Short[1:])
			markdown(&b, topic.Long)
		}
	}
	return []byte(strings.TrimRight(b.String(), "\n") + "\n")
}

func link(c *cobra.Command) string {
	return fmt.Sprintf("[%s](#%s)", c.Name(), strings.ReplaceAll(c.CommandPath(), " ", "-"))
}

// section writes the section of cmd and of the commands below it.
func section(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, "## %s\n\n%s.\n\n", cmd.CommandPath(), escape(cmd.Short))
	code(b, "text", usage(cmd))
	markdown(b, about(cmd))
	code(b, "console", cmd.Example)
	flagTable(b, ownFlags(cmd))
	for _, c := range Commands(cmd) {
		section(b, c)
	}
}

func markdown(b *strings.Builder, text string) {
	for _, p := range paragraphs(text) {
		if p.verbatim {
			code(b, "text", p.text)
		} else {
			b.WriteString(escape(p.text) + "\n\n")
		}
	}
}

// code writes a fenced block, without the indentation of two spaces.
func code(b *strings.Builder, language, text string) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	fmt.Fprintf(b, "```%s\n%s\n```\n\n", language, strings.Join(lines, "\n"))
}

func flagTable(b *strings.Builder, flags *pflag.FlagSet) {
	if !flags.HasFlags() {
		return
	}
	b.WriteString("| flag | description |\n|---|---|\n")
	flags.VisitAll(func(f *pflag.Flag) {
		name, what := described(f)
		fmt.Fprintf(b, "| `%s` | %s |\n", name, escape(what))
	})
	b.WriteByte('\n')
}

// described returns a flag with the type of its value, and its usage with the default.
func described(f *pflag.Flag) (name, what string) {
	kind, what := pflag.UnquoteUsage(f)
	name = "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	switch {
	case f.NoOptDefVal != "" && kind != "":
		name += "[=" + kind + "]"
	case kind != "":
		name += " " + kind
	}
	switch f.DefValue {
	case "", "false", "0", "0s", "[]":
	default:
		what += " (default " + f.DefValue + ")"
	}
	return name, what
}

// escape escapes text that Markdown would interpret.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "<", `\<`, "|", `\|`, "~", `\~`, "`", "\\`").Replace(text)
}
