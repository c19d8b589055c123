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

// Mark is the meaning of a text, and determines its color.
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

// Cell is a table cell.
type Cell struct {
	Text string
	Mark Mark
}

// Marked returns a cell with a mark.
func Marked(text string, mark Mark) Cell { return Cell{text, mark} }

// PrintTable prints a table with a header row. If a terminal is too narrow, PrintTable drops the columns named in
// optional one by one, in that order, until the table fits. If it still does not fit, PrintTable cuts the cells.
func PrintTable(w io.Writer, header []string, rows [][]Cell, optional ...string) {
	for hasColumns(w) && len(optional) > 0 && lipgloss.Width(newTable(w, header, rows).Render()) > Width(w) {
		header, rows = dropColumn(header, rows, optional[0])
		optional = optional[1:]
	}
	t := newTable(w, header, rows)
	text := t.Render()
	if room := Width(w); hasColumns(w) && lipgloss.Width(text) > room {
		text = t.Width(room).Render()
	}
	for line := range strings.Lines(text + "\n") {
		_, _ = fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// dropColumn returns the table without a column.
func dropColumn(header []string, rows [][]Cell, name string) ([]string, [][]Cell) {
	i := slices.Index(header, name)
	if i < 0 {
		return header, rows
	}
	narrow := make([][]Cell, len(rows))
	for r, row := range rows {
		narrow[r] = slices.Delete(slices.Clone(row), i, i+1)
	}
	return slices.Delete(slices.Clone(header), i, i+1), narrow
}

func newTable(w io.Writer, header []string, rows [][]Cell) *table.Table {
	p := newPalette(w)
	t := table.New().
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderHeader(false).BorderColumn(false).
		Wrap(false).
		Headers(header...).
		StyleFunc(func(row, col int) lipgloss.Style {
			style := p.dim
			if row != table.HeaderRow {
				style = p.mark(rows[row][col].Mark)
			}
			if col < len(header)-1 {
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

// factColumn is the column of the texts of facts, unless a name is too long for it.
const factColumn = 11

// Facts are names and texts that are printed below each other.
type Facts struct{ names, texts []string }

// Add adds a fact.
func (f *Facts) Add(name, text string) {
	f.names, f.texts = append(f.names, name), append(f.texts, text)
}

// Print prints the facts, with their texts aligned.
func (f *Facts) Print(w io.Writer) {
	column := factColumn
	for _, name := range f.names {
		column = max(column, ansi.StringWidth(name)+2)
	}
	for i, name := range f.names {
		printFact(w, name, f.texts[i], column)
	}
}

// PrintFact prints a name and a text, with the text's lines aligned.
func PrintFact(w io.Writer, name, text string) { printFact(w, name, text, factColumn) }

func printFact(w io.Writer, name, text string, column int) {
	p := newPalette(w)
	for i, line := range strings.Split(redactText(w, text), "\n") {
		if i > 0 {
			name = ""
		}
		gap := strings.Repeat(" ", max(1, column-ansi.StringWidth(name)))
		_, _ = fmt.Fprintf(w, "%s%s%s\n", p.dim.Render(name), gap, wrap(w, sanitize(line), column))
	}
}

// PrintLines prints lines. On a terminal, it breaks long ones between words.
func PrintLines(w io.Writer, text string) {
	for line := range strings.SplitSeq(redactText(w, text), "\n") {
		_, _ = fmt.Fprintln(w, wrap(w, sanitize(line), 2))
	}
}

// PrintPrefixed prints a line after a prefix. On a terminal, it breaks a long line between words.
func PrintPrefixed(w io.Writer, prefix, text string) {
	column := ansi.StringWidth(prefix)
	_, _ = io.WriteString(w, prefix+wrap(w, text, column)+"\n") // one write, because others write lines too
}

// PrintTitle prints a heading.
func PrintTitle(w io.Writer, text string) {
	_, _ = fmt.Fprintln(w, wrap(w, newPalette(w).bold.Render(sanitize(redactText(w, text))), 2))
}

// PrintLine prints a line after a colored sign.
func PrintLine(w io.Writer, mark Mark, sign, text string) {
	p := newPalette(w)
	_, _ = fmt.Fprintf(w, "%s %s\n", p.mark(mark).Render(sign), wrap(w, sanitize(redactText(w, text)), 2))
}
