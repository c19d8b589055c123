package cli

import (
	"io"
	"strings"

	"norn/internal/ui"
	"norn/pkg/infraspec"
)

// ShownFinding converts f to the type that package ui prints.
func ShownFinding(f infraspec.Finding) ui.Finding {
	return ui.Finding{
		File: f.File, Line: f.Line, Column: f.Column, EndColumn: f.EndColumn,
		Severity: string(f.Severity), Rule: string(f.Rule), Message: f.Message, Source: f.Source,
		Masked: f.Masked,
	}
}

// PrintInvalid prints that an infraspec is not valid, and its errors and warnings.
func PrintInvalid(w io.Writer, errs infraspec.Errors) {
	ui.PrintError(w, &InvalidError{What: ui.DisplayPath(errs[0].File), Counts: Count(errs)})
	for _, f := range errs {
		if f.Severity == infraspec.Note {
			continue
		}
		ui.PrintFinding(w, ShownFinding(f))
		if ui.OnGitHub() {
			ui.Annotate(w, ShownFinding(f))
		}
	}
}

// Counts holds the number of findings of each severity.
type Counts map[infraspec.Severity]int

// Count counts findings.
func Count(findings []infraspec.Finding) Counts {
	c := Counts{}
	for _, f := range findings {
		c[f.Severity]++
	}
	return c
}

// String returns the errors and warnings, such as "2 errors, 1 warning". It omits notes.
func (c Counts) String() string {
	var parts []string
	for _, s := range []infraspec.Severity{infraspec.Error, infraspec.Warning} {
		if c[s] > 0 {
			parts = append(parts, Plural(c[s], string(s)))
		}
	}
	return strings.Join(parts, ", ")
}
