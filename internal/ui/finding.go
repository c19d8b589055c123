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

// Finding is something to say about a place in a file, as compilers do.
type Finding struct {
	File                    string
	Line, Column, EndColumn int // from 1, in characters; Line 0 means the file as a whole
	Severity, Rule, Message string
	Source                  string // the line itself, or ""
}

// maxExcerpt is how much of a line a pipe gets.
const maxExcerpt = 500

// PrintFinding prints the place, the message, and the line with what is meant underlined.
func PrintFinding(w io.Writer, f Finding) {
	p := newPalette(w)
	place := sanitize(DisplayPath(f.File))
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", place, f.Line, f.Column)
	}
	style := p.severity(f.Severity)
	var b strings.Builder
	text := fmt.Sprintf("%s: %s %s %s", p.bold.Render(place), style.Render(f.Severity+":"), sanitize(f.Message), p.dim.Render("["+f.Rule+"]"))
	fmt.Fprintln(&b, wrap(w, text, 4))
	if source := redactText(w, f.Source); source != f.Source {
		f.Source = "" // its columns would be others
	}
	if f.Source != "" {
		number := fmt.Sprintf("%5d", f.Line)
		room := maxExcerpt
		if IsTerminal(w) {
			room = Width(w) - len(number) - 3
		}
		line, under := excerpt(f, room)
		fmt.Fprintf(&b, "%s %s\n%s %s\n", p.dim.Render(number+" |"), line, p.dim.Render(strings.Repeat(" ", len(number))+" |"), style.Render(under))
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

// excerpt is the part of a finding's line that fits into room columns, and the underline beneath it. What is meant is in it.
func excerpt(f Finding, room int) (line, under string) {
	before, meant, after := parts(f)
	underlined := max(1, ansi.StringWidth(meant))
	if lead := ansi.StringWidth(before); lead+underlined > room && lead > room/3 {
		before = ansi.TruncateLeft(before, lead-room/3, "…")
	}
	line = ansi.Truncate(before+meant+after, room, "…")
	lead := ansi.StringWidth(before)
	return line, strings.Repeat(" ", lead) + strings.Repeat("^", max(1, min(underlined, room-lead)))
}

// parts cuts a finding's line in three, with what a terminal would not show as one column each taken out.
func parts(f Finding) (before, meant, after string) {
	runes := []rune(f.Source)
	from := min(f.Column-1, len(runes))
	to := min(max(f.EndColumn-1, from), len(runes))
	return sanitize(string(runes[:from])), sanitize(string(runes[from:to])), sanitize(string(runes[to:]))
}

// DisplayPath is a path as it is shown: from the current folder where it is below it.
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
