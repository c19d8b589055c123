package ui

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
)

// Finding is a message about a place in a file, in the style of a compiler.
type Finding struct {
	File                    string
	Line, Column, EndColumn int // from 1, in characters; Line is 0 for the file as a whole
	Severity, Rule, Message string
	Source                  string // the text of the line, or ""
	Masked                  bool   // Source has stars in place of what may be a secret
}

// maxExcerpt is the maximum number of columns of a line to show in a pipe.
const maxExcerpt = 500

// PrintFinding prints the place, the message, and the line with the place underlined.
func PrintFinding(w io.Writer, f Finding) {
	p := newPalette(w)
	place := sanitize(DisplayPath(f.File))
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", place, f.Line, f.Column)
	}
	style := p.severity(f.Severity)
	var b strings.Builder
	text := fmt.Sprintf("%s: %s %s %s",
		p.bold.Render(place), style.Render(f.Severity+":"), sanitize(redactText(w, f.Message)), p.dim.Render("["+f.Rule+"]"))
	fmt.Fprintln(&b, wrap(w, text, 4))
	if redactText(w, f.Source) != f.Source {
		f.Source = "" // the columns would not match the redacted text
	}
	if f.Source != "" {
		number := fmt.Sprintf("%5d", f.Line)
		room := maxExcerpt
		if hasColumns(w) {
			room = Width(w) - len(number) - 3
		}
		line, underline := excerpt(f, room)
		fmt.Fprintf(&b, "%s %s\n", p.dim.Render(number+" |"), line)
		margin := p.dim.Render(strings.Repeat(" ", len(number)) + " |")
		fmt.Fprintf(&b, "%s %s\n", margin, style.Render(underline))
		if f.Masked {
			fmt.Fprintf(&b, "%s %s\n", margin, p.dim.Render("(stars hide possible secrets)"))
		}
	}
	_, _ = io.WriteString(w, b.String())
}

func (p palette) severity(s string) lipgloss.Style {
	switch s {
	case "error":
		return p.bad
	case "warning":
		return p.warn
	default:
		return p.dim
	}
}

// excerpt returns the part of a finding's line that fits into room columns, and the underline for it. The part
// includes the place of the finding.
func excerpt(f Finding, room int) (line, underline string) {
	before, place, after := splitSource(f)
	underlined := max(1, ansi.StringWidth(place))
	if lead := ansi.StringWidth(before); lead+underlined > room && lead > room/3 {
		before = ansi.TruncateLeft(before, lead-room/3, "…")
	}
	line = ansi.Truncate(before+place+after, room, "…")
	lead := ansi.StringWidth(before)
	return line, strings.Repeat(" ", lead) + strings.Repeat("^", max(1, min(underlined, room-lead)))
}

// splitSource splits a finding's line at the finding's columns. It sanitizes the parts, so that each character takes
// the expected number of columns on a terminal.
func splitSource(f Finding) (before, place, after string) {
	runes := []rune(f.Source)
	from := min(f.Column-1, len(runes))
	to := min(max(f.EndColumn-1, from), len(runes))
	return sanitize(string(runes[:from])), sanitize(string(runes[from:to])), sanitize(string(runes[to:]))
}

// DisplayPath returns path relative to the current folder if it is inside that folder, and path itself otherwise.
func DisplayPath(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && filepath.IsAbs(path) && filepath.IsLocal(rel) {
		return rel
	}
	return path
}
