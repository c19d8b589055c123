package ui

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Check is the result of a check.
type Check struct {
	Name   string
	Mark   Mark
	Sign   string   // the result as a character
	State  string   // the result as a word
	Detail []string // lines; the first one follows the state
	Hint   string
}

// Checks prints checks with their lines aligned at one column.
type Checks struct {
	w      io.Writer
	p      palette
	column int
}

// NewChecks returns a printer of checks whose lines are aligned at column.
func NewChecks(w io.Writer, column int) *Checks { return &Checks{w, newPalette(w), column} }

// Print prints a check.
func (c *Checks) Print(check Check) {
	style, margin := c.p.mark(check.Mark), strings.Repeat(" ", c.column)
	gap := strings.Repeat(" ", max(1, c.column-ansi.StringWidth(check.Sign)-1-ansi.StringWidth(check.Name)))
	var b strings.Builder
	for i, line := range check.Detail {
		front, line := margin, sanitize(redactText(c.w, line))
		if i == 0 {
			front = style.Render(check.Sign) + " " + check.Name + gap
			line = style.Render(check.State+":") + " " + line
		}
		b.WriteString(front + wrap(c.w, line, c.column) + "\n")
	}
	if check.Hint != "" {
		hint := c.p.dim.Render("Hint:") + " " + sanitize(redactText(c.w, check.Hint))
		fmt.Fprintf(&b, "%s%s\n", margin, wrap(c.w, hint, c.column))
	}
	_, _ = io.WriteString(c.w, b.String())
}
