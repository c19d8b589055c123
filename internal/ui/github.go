package ui

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// OnGitHub reports whether norn runs in a GitHub Actions job.
func OnGitHub() bool { return os.Getenv("GITHUB_ACTIONS") == "true" }

// Annotate writes a finding as a workflow command. GitHub shows it next to the line of the file
// (docs.github.com: Workflow commands).
func Annotate(w io.Writer, f Finding) {
	command := map[string]string{"error": "error", "warning": "warning"}[f.Severity]
	if command == "" {
		command = "notice"
	}
	place := ""
	if f.Line > 0 {
		place = fmt.Sprintf(",line=%d,col=%d,endColumn=%d", f.Line, f.Column, f.EndColumn)
	}
	_, _ = fmt.Fprintf(w, "::%s file=%s%s,title=%s::%s\n", command, commandProperty(workspacePath(f.File)), place,
		commandProperty("norn "+f.Rule), commandData(redactText(w, f.Message)))
}

// commandData returns text for the data of a workflow command. It keeps line breaks.
func commandData(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = escapeCommandData.Replace(clean(strings.TrimSuffix(line, "\r")))
	}
	return strings.Join(lines, "%0A")
}

// commandProperty returns text for a property of a workflow command.
func commandProperty(text string) string { return escapeCommandProperty.Replace(clean(text)) }

// The escapes for the data and the properties of a workflow command.
var (
	escapeCommandData     = strings.NewReplacer("%", "%25")
	escapeCommandProperty = strings.NewReplacer("%", "%25", ":", "%3A", ",", "%2C")
)

// workspacePath returns path relative to the repository's root, which annotations require.
func workspacePath(path string) string {
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
