package ui

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Check is a thing that was examined.
type Check struct {
	Name   string
	Mark   Mark
	Sign   string   // the mark as a character
	State  string   // the mark as a word
	Detail []string // the first line goes behind the state
	Hint   string
}

// PrintCheck prints a check, its lines under each other from the given column on.
func PrintCheck(w io.Writer, c Check, column int) {
	p := newPalette(w)
	style, margin := p.mark(c.Mark), strings.Repeat(" ", column)
	gap := strings.Repeat(" ", max(1, column-ansi.StringWidth(c.Sign)-1-ansi.StringWidth(c.Name)))
	var b strings.Builder
	for i, line := range c.Detail {
		if i == 0 {
			fmt.Fprintf(&b, "%s %s%s%s\n", style.Render(c.Sign), c.Name, gap, wrap(w, style.Render(c.State+":")+" "+clean(line), column))
			continue
		}
		fmt.Fprintf(&b, "%s%s\n", margin, wrap(w, clean(line), column))
	}
	if c.Hint != "" {
		fmt.Fprintf(&b, "%s%s\n", margin, wrap(w, p.dim.Render("Hint:")+" "+clean(c.Hint), column))
	}
	_, _ = io.WriteString(w, b.String())
}
