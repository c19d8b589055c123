package ui

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
	"github.com/charmbracelet/x/ansi"
)

// Mark gives a cell of a table a colour by what it means.
type Mark int

// The marks.
const (
	Plain Mark = iota
	Good
	Bad
	Warn
	Dim
)

func (p palette) mark(m Mark) lipgloss.Style {
	return map[Mark]lipgloss.Style{Good: p.good, Bad: p.bad, Warn: p.warn, Dim: p.dim}[m]
}

// Cell is a table's cell.
type Cell struct {
	Text string
	Mark Mark
}

// Marked is a cell with a mark.
func Marked(text string, mark Mark) Cell { return Cell{text, mark} }

// PrintTable prints rows under a head; a pipe gets them whole. On a terminal that is too narrow, columns are left out in the order in
// which spare names them, and then cells are cut until the table fits.
func PrintTable(w io.Writer, head []string, rows [][]Cell, spare ...string) {
	for IsTerminal(w) && len(spare) > 0 && lipgloss.Width(newTable(w, head, rows).Render()) > Width(w) {
		head, rows = without(head, rows, spare[0])
		spare = spare[1:]
	}
	t := newTable(w, head, rows)
	text := t.Render()
	if room := Width(w); IsTerminal(w) && lipgloss.Width(text) > room {
		text = t.Width(room).Render()
	}
	for line := range strings.Lines(text + "\n") {
		_, _ = fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// without leaves a column out.
func without(head []string, rows [][]Cell, name string) ([]string, [][]Cell) {
	i := slices.Index(head, name)
	if i < 0 {
		return head, rows
	}
	narrow := make([][]Cell, len(rows))
	for r, row := range rows {
		narrow[r] = slices.Delete(slices.Clone(row), i, i+1)
	}
	return slices.Delete(slices.Clone(head), i, i+1), narrow
}

func newTable(w io.Writer, head []string, rows [][]Cell) *table.Table {
	p := newPalette(w)
	t := table.New().
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderHeader(false).BorderColumn(false).
		Wrap(false).
		Headers(head...).
		StyleFunc(func(row, col int) lipgloss.Style {
			style := p.dim
			if row != table.HeaderRow {
				style = p.mark(rows[row][col].Mark)
			}
			if col < len(head)-1 {
				return style.PaddingRight(2)
			}
			return style
		})
	for _, row := range rows {
		texts := make([]string, len(row))
		for i, c := range row {
			texts[i] = sanitize(redactText(w, c.Text))
		}
		t.Row(texts...)
	}
	return t
}

// PrintFact prints a named fact, its lines under each other.
func PrintFact(w io.Writer, name, text string) {
	p := newPalette(w)
	const column = 11
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			name = ""
		}
		_, _ = fmt.Fprintf(w, "%s%s%s\n", p.dim.Render(name), strings.Repeat(" ", max(1, column-ansi.StringWidth(name))), wrap(w, sanitize(line), column))
	}
}

// PrintTitle prints a heading.
func PrintTitle(w io.Writer, text string) { _, _ = fmt.Fprintln(w, newPalette(w).bold.Render(text)) }

// PrintLine prints a line with a coloured sign in front.
func PrintLine(w io.Writer, mark Mark, sign, text string) {
	p := newPalette(w)
	_, _ = fmt.Fprintf(w, "%s %s\n", p.mark(mark).Render(sign), wrap(w, sanitize(text), 2))
}
