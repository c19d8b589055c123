package main

import (
	"fmt"
	"io"
	"strings"

	"norn/internal/ui"
	"norn/pkg/infraspec"
)

// shownFinding is a finding as ui prints it.
func shownFinding(f infraspec.Finding) ui.Finding {
	return ui.Finding{
		File: f.File, Line: f.Line, Column: f.Column, EndColumn: f.EndColumn,
		Severity: string(f.Severity), Rule: string(f.Rule), Message: f.Message, Source: f.Source,
	}
}

// printInvalid says that an infraspec cannot be used, and lists all that stands in the way.
func printInvalid(w io.Writer, errs infraspec.Errors) {
	ui.PrintError(w, &invalidError{what: ui.Shown(errs[0].File), counts: count(errs)})
	for _, f := range errs {
		if f.Severity == infraspec.Note {
			continue
		}
		ui.PrintFinding(w, shownFinding(f))
		if ui.OnGitHub() {
			ui.Annotate(w, shownFinding(f))
		}
	}
}

// counts are how many findings there are of each severity.
type counts map[infraspec.Severity]int

func count(found []infraspec.Finding) counts {
	c := counts{}
	for _, f := range found {
		c[f.Severity]++
	}
	return c
}

// String is "2 errors, 1 warning"; notes are not counted there.
func (c counts) String() string {
	var parts []string
	for _, s := range []infraspec.Severity{infraspec.Error, infraspec.Warning} {
		if c[s] > 0 {
			parts = append(parts, plural(c[s], string(s)))
		}
	}
	return strings.Join(parts, ", ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// invalidError says that one or more infraspecs are not valid; the findings are listed beside it.
type invalidError struct {
	what   string
	counts counts
	strict bool
}

func (e *invalidError) Error() string { return fmt.Sprintf("%s not valid: %s", e.verb(), e.counts) }

func (e *invalidError) verb() string {
	if strings.Contains(e.what, " of ") {
		return e.what + " are"
	}
	return e.what + " is"
}

func (e *invalidError) Hint() string {
	if e.strict && e.counts[infraspec.Error] == 0 {
		return "--strict makes warnings count"
	}
	return ""
}
