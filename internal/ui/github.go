package ui

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// OnGitHub reports whether this is a job of GitHub Actions, whose log shows annotations beside the lines of a file.
func OnGitHub() bool { return os.Getenv("GITHUB_ACTIONS") == "true" }

// Annotate writes a finding as a workflow command of GitHub Actions (docs.github.com: Workflow commands).
func Annotate(w io.Writer, f Finding) {
	kind := map[string]string{"error": "error", "warning": "warning"}[f.Severity]
	if kind == "" {
		kind = "notice"
	}
	place := ""
	if f.Line > 0 {
		place = fmt.Sprintf(",line=%d,col=%d,endColumn=%d", f.Line, f.Column, f.EndColumn)
	}
	_, _ = fmt.Fprintf(w, "::%s file=%s%s,title=%s::%s\n", kind, property.Replace(inWorkspace(f.File)), place, property.Replace("norn "+f.Rule), data.Replace(f.Message))
}

// What a workflow command's text and properties must not hold as it is.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// inWorkspace is a path from the repository's root, as annotations want it.
func inWorkspace(path string) string {
	root := os.Getenv("GITHUB_WORKSPACE")
	abs, err := filepath.Abs(path)
	if root == "" || err != nil {
		return path
	}
	if rel, err := filepath.Rel(root, abs); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}
