package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// allowFile lists the lines in which a word is right, each as FILE: LINE. A line that begins with # is a comment.
const allowFile = "hack/prose/allow.txt"

// allowed are lines of files, and where in allowFile each stands.
type allowed struct {
	lines map[string]int
	used  map[string]bool
}

// readAllowed reads dir's allowFile, if it has one.
func readAllowed(dir string) (allowed, error) {
	a := allowed{lines: map[string]int{}, used: map[string]bool{}}
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(allowFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	for i, line := range strings.Split(string(text), "\n") {
		if line != "" && line[0] != '#' {
			a.lines[line] = i + 1
		}
	}
	return a, nil
}

// filter removes the findings in allowed lines. lines are those of the findings' file.
func (a allowed) filter(found []finding, lines []string) []finding {
	var left []finding
	for _, f := range found {
		key := f.file + ": " + strings.TrimSpace(lines[f.line-1])
		if _, ok := a.lines[key]; ok {
			a.used[key] = true
			continue
		}
		left = append(left, f)
	}
	return left
}

// unused returns a finding for each allowed line that no longer needs it.
func (a allowed) unused() []finding {
	var found []finding
	for line, at := range a.lines {
		if !a.used[line] {
			found = append(found, finding{allowFile, at, "no such line breaks a rule: remove " + line})
		}
	}
	return found
}
