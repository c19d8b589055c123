package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"norn/pkg/pipeline"
)

// PrintError prints err with its reason, hint and detail. Each comes from the first error in the chain that has one.
func PrintError(w io.Writer, err error) {
	p := newPalette(w)
	var b strings.Builder
	lines := strings.Split(strings.TrimRight(redactText(w, err.Error()), "\n"), "\n")
	fmt.Fprintf(&b, "%s %s\n", p.bad.Render("Error:"), wrap(w, sanitize(lines[0]), 7))
	for _, l := range lines[1:] {
		fmt.Fprintf(&b, "       %s\n", wrap(w, sanitize(l), 7))
	}
	if reason := redactText(w, errorReason(err)); reason != "" {
		fmt.Fprintf(&b, "%s %s\n", p.dim.Render("Reason:"), wrap(w, sanitize(reason), 8))
	}
	if hint := redactText(w, pipeline.HintOf(err)); hint != "" {
		fmt.Fprintf(&b, "%s %s\n", p.dim.Render("Hint:"), wrap(w, sanitize(hint), 6))
	}
	var detail interface{ Detail() string }
	if errors.As(err, &detail) { // not wrapped: it may be a table
		for line := range strings.Lines(redactText(w, detail.Detail())) {
			b.WriteString(sanitize(strings.TrimSuffix(line, "\n")) + "\n")
		}
	}
	_, _ = io.WriteString(w, b.String())
}

// errorReason returns the reason of err, or "".
func errorReason(err error) string {
	var reason interface{ Reason() string }
	if errors.As(err, &reason) {
		return reason.Reason()
	}
	return ""
}

// PrintInterrupted prints err without its cause, an interrupt. It prints nothing if no text is left.
func PrintInterrupted(w io.Writer, err, cause error) {
	if IsTerminal(w) { // the terminal shows ^C at the beginning of the line
		_, _ = fmt.Fprintln(w)
	}
	text := err.Error()
	for _, e := range []error{context.Canceled, cause} {
		if e != nil {
			text, _ = strings.CutSuffix(text, e.Error())
		}
	}
	if text = strings.TrimSuffix(text, ": "); text != "" {
		text = wrap(w, sanitize(redactText(w, text)), 13)
		_, _ = fmt.Fprintf(w, "%s %s\n", newPalette(w).warn.Render("Interrupted:"), text)
	}
}

// PrintWarning prints a warning.
func PrintWarning(w io.Writer, text string) {
	_, _ = fmt.Fprintf(w, "%s %s\n", newPalette(w).warn.Render("Warning:"), wrap(w, sanitize(redactText(w, text)), 9))
}
