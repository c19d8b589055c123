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

// Checks prints checks, their lines under each other from one column on.
type Checks struct {
	w      io.Writer
	p      palette
	column int
}

// NewChecks returns a printer of checks whose lines begin in a column.
func NewChecks(w io.Writer, column int) *Checks { return &Checks{w, newPalette(w), column} }

// Print prints one check.
func (c *Checks) Print(check Check) {
	style, margin := c.p.mark(check.Mark), strings.Repeat(" ", c.column)
	gap := strings.Repeat(" ", max(1, c.column-ansi.StringWidth(check.Sign)-1-ansi.StringWidth(check.Name)))
	var b strings.Builder
	for i, line := range check.Detail {
		front, line := margin, sanitize(line)
		if i == 0 {
			front = style.Render(check.Sign) + " " + check.Name + gap
			line = style.Render(check.State+":") + " " + line
		}
		b.WriteString(front + wrap(c.w, line, c.column) + "\n")
	}
	if check.Hint != "" {
		fmt.Fprintf(&b, "%s%s\n", margin, wrap(c.w, c.p.dim.Render("Hint:")+" "+sanitize(check.Hint), c.column))
	}
	_, _ = io.WriteString(c.w, b.String())
}
