package infraspec

import (
	"fmt"
	"slices"
	"strings"
)

// Severity is how much a finding weighs.
type Severity string

// The severities: an Error makes the file unusable, a Warning does not.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is one thing wrong with an infraspec, and where.
type Finding struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`   // from 1; 0 where the file as a whole is meant
	Column   int      `json:"column"` // from 1, in runes
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	// Source is the line of the file that the finding is about.
	Source string `json:"source,omitempty"`
}

// String is the finding in one line: file:line:column: message.
func (f Finding) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
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

// sortFindings orders by place in the file, and drops what was found twice at one place.
func sortFindings(fs []Finding) []Finding {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return slices.Compact(fs)
}

func hasErrors(fs []Finding) bool {
	return slices.ContainsFunc(fs, func(f Finding) bool { return f.Severity == Error })
}
