package ui

import (
	"fmt"
	"io"
	"strings"
)

// PrintDiff prints a title and a unified diff.
func PrintDiff(w io.Writer, title, diff string) {
	p := newPalette(w)
	_, _ = fmt.Fprintln(w, p.bold.Render(sanitize(redactText(w, title))))
	for line := range strings.Lines(redactText(w, diff)) {
		line = sanitize(strings.TrimSuffix(line, "\n"))
		switch {
		case strings.HasPrefix(line, "+"):
			line = p.good.Render(line)
		case strings.HasPrefix(line, "-"):
			line = p.bad.Render(line)
		case strings.HasPrefix(line, "@@"):
			line = p.dim.Render(line)
		}
		_, _ = fmt.Fprintln(w, line)
	}
}
