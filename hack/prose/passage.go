package main

import (
	"fmt"
	"strings"
)

// passage is a piece of a file that a person reads. Its line breaks are those of the file.
type passage struct {
	text string
	line int // of the file, where it begins
}

// finding is a place that breaks a rule.
type finding struct {
	file    string
	line    int
	problem string
}

// String returns the finding as compilers write theirs.
func (f finding) String() string { return fmt.Sprintf("%s:%d: %s", f.file, f.line, f.problem) }

// check applies the rules to a passage of a file.
func (p passage) check(file string) []finding {
	var found []finding
	for _, r := range rules {
		for _, at := range r.pattern.FindAllStringIndex(p.text, -1) {
			match := p.text[at[0]:at[1]]
			if r.right != nil && r.right.MatchString(match) {
				continue
			}
			found = append(found, finding{
				file:    file,
				line:    p.line + strings.Count(p.text[:at[0]], "\n"),
				problem: fmt.Sprintf("%q: write %s", strings.Join(strings.Fields(match), " "), r.instead),
			})
		}
	}
	return found
}
