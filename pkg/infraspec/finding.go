package infraspec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity is the severity of a finding.
type Severity string

// The severities. An Error makes the file unusable, a Warning does not, and a Note is only information.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Finding is a message about an infraspec and its position.
type Finding struct {
	File      string   `json:"file"`
	Line      int      `json:"line"`      // from 1; 0 for the whole file
	Column    int      `json:"column"`    // from 1, in characters
	EndColumn int      `json:"endColumn"` // the column after the last character
	Severity  Severity `json:"severity" redact:"-"`
	Rule      Rule     `json:"rule" redact:"-"`
	Message   string   `json:"message"`
	// Source is the line of the file, with stars in place of anything that could be a secret.
	Source string `json:"source,omitempty"`
	// Masked is true if Source has such stars.
	Masked bool `json:"-"`
	// Environment is the only environment to which the finding applies, or "".
	Environment string `json:"-"`

	noExcerpt bool // never set Source: the line may be anything
}

// String returns the finding in the format of compilers: file:line:column: severity: message [rule].
func (f Finding) String() string {
	place := f.File
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
	}
	return fmt.Sprintf("%s: %s: %s [%s]", place, f.Severity, f.Message, f.Rule)
}

// Errors holds all findings of an infraspec, at least one of them of severity Error.
type Errors []Finding

// Error returns the findings, one per line.
func (e Errors) Error() string {
	lines := make([]string, 0, len(e))
	for _, f := range e {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

// Findings returns the findings for machine-readable output.
func (e Errors) Findings() any { return []Finding(e) }

// Sort sorts findings by file and position and removes duplicates.
func Sort(fs []Finding) []Finding {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(fs)
}

// HasErrors reports whether any finding is an Error.
func HasErrors(fs []Finding) bool {
	return slices.ContainsFunc(fs, func(f Finding) bool { return f.Severity == Error })
}

// maxFindings limits the list for a file that is not an infraspec at all.
const maxFindings = 200

// bounded truncates a long list and adds a finding that says so.
func bounded(fs []Finding) []Finding {
	if len(fs) <= maxFindings {
		return fs
	}
	rest := fs[maxFindings:]
	last := rest[0]
	last.Severity, last.Rule, last.Message = Warning, RuleTooMany, fmt.Sprintf("%d more findings from here on", len(rest))
	if HasErrors(rest) {
		last.Severity = Error
	}
	return append(fs[:maxFindings:maxFindings], last)
}
