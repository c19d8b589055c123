package infraspec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity is how much a finding weighs.
type Severity string

// The severities: an Error makes the file unusable, a Warning does not, and a Note only tells.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Finding is one thing to say about an infraspec, and where.
type Finding struct {
	File      string   `json:"file"`
	Line      int      `json:"line"`      // from 1; 0 where the file as a whole is meant
	Column    int      `json:"column"`    // from 1, in characters
	EndColumn int      `json:"endColumn"` // the column after the last character that is meant
	Severity  Severity `json:"severity"`
	Rule      Rule     `json:"rule"`
	Message   string   `json:"message"`
	// Source is the line of the file that the finding is about, with stars for what could be a secret.
	Source string `json:"source,omitempty"`

	noExcerpt bool // the line may be anything
}

// String is the finding in one line, as compilers write it: file:line:column: severity: message [rule].
func (f Finding) String() string {
	place := f.File
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
	}
	return fmt.Sprintf("%s: %s: %s [%s]", place, f.Severity, f.Message, f.Rule)
}

// Errors are all findings of an infraspec that has at least one of severity Error.
type Errors []Finding

// Error lists the findings, one a line.
func (e Errors) Error() string {
	lines := make([]string, 0, len(e))
	for _, f := range e {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

// Findings are the same, for machine-readable output.
func (e Errors) Findings() any { return []Finding(e) }

// Sort orders findings by place in the file, and drops what was found twice at one place.
func Sort(fs []Finding) []Finding {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(fs)
}

// HasErrors reports whether one of the findings makes the file unusable.
func HasErrors(fs []Finding) bool {
	return slices.ContainsFunc(fs, func(f Finding) bool { return f.Severity == Error })
}

// maxFindings bounds what is listed of a file that is something else altogether.
const maxFindings = 200

// bounded cuts a long list off, and says so.
func bounded(fs []Finding) []Finding {
	if len(fs) <= maxFindings {
		return fs
	}
	rest := fs[maxFindings:]
	last := Finding{File: rest[0].File, Line: rest[0].Line, Column: rest[0].Column, EndColumn: rest[0].EndColumn, Severity: Warning, Rule: RuleTooMany,
		Message: fmt.Sprintf("%d more findings from here on", len(rest))}
	if HasErrors(rest) {
		last.Severity = Error
	}
	return append(fs[:maxFindings:maxFindings], last)
}
