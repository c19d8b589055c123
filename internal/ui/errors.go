package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"norn/pkg/pipeline"
)

// PrintError prints err by the rules on top of this package. Reason, hint and detail, which is printed as it is, come from the first
// error in the chain that offers them.
func PrintError(w io.Writer, err error) {
	p := newPalette(w)
	var b strings.Builder
	lines := strings.Split(strings.TrimRight(err.Error(), "\n"), "\n")
	fmt.Fprintf(&b, "%s %s\n", p.bad.Render("Error:"), wrap(w, clean(lines[0]), 7))
	for _, l := range lines[1:] {
		fmt.Fprintf(&b, "       %s\n", wrap(w, clean(l), 7))
	}
	if reason := reasonOf(err); reason != "" {
		fmt.Fprintf(&b, "%s %s\n", p.dim.Render("Reason:"), wrap(w, clean(reason), 8))
	}
	if hint := pipeline.HintOf(err); hint != "" {
		fmt.Fprintf(&b, "%s %s\n", p.dim.Render("Hint:"), wrap(w, clean(hint), 6))
	}
	var detail interface{ Detail() string }
	if errors.As(err, &detail) {
		for line := range strings.Lines(detail.Detail()) {
			b.WriteString(clean(strings.TrimSuffix(line, "\n")) + "\n")
		}
	}
	_, _ = io.WriteString(w, b.String())
}

// reasonOf is why, where an error knows it.
func reasonOf(err error) string {
	var reason interface{ Reason() string }
	if errors.As(err, &reason) {
		return reason.Reason()
	}
	return ""
}

// PrintInterrupted says what an interrupt cut short, and nothing where there is no more to it than that.
func PrintInterrupted(w io.Writer, err, cause error) {
	if IsTerminal(w) { // which shows ^C at the beginning of the line
		_, _ = fmt.Fprintln(w)
	}
	what := err.Error()
	for _, how := range []error{context.Canceled, cause} {
		if how != nil {
			what, _ = strings.CutSuffix(what, how.Error())
		}
	}
	if what = strings.TrimSuffix(what, ": "); what != "" {
		_, _ = fmt.Fprintf(w, "%s %s\n", newPalette(w).warn.Render("Interrupted:"), wrap(w, clean(what), 13))
	}
}

// PrintWarning prints what a user should know that stops nothing.
func PrintWarning(w io.Writer, text string) {
	_, _ = fmt.Fprintf(w, "%s %s\n", newPalette(w).warn.Render("Warning:"), wrap(w, clean(text), 9))
}
