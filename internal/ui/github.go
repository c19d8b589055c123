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
	file, title := escapeCommandProperty.Replace(workspacePath(f.File)), escapeCommandProperty.Replace("norn "+f.Rule)
	_, _ = fmt.Fprintf(w, "::%s file=%s%s,title=%s::%s\n",
		command, file, place, title, escapeCommandData.Replace(f.Message))
}

// The escapes for the text and the properties of a workflow command.
var (
	escapeCommandData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	escapeCommandProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// escapeWorkflowCommand escapes text that GitHub would interpret as a workflow command. GitHub recognizes "##["
// anywhere and "::" at the beginning of a line, after blanks (github.com/actions/runner: ActionCommand).
func escapeWorkflowCommand(text string) string {
	if !OnGitHub() {
		return text
	}
	if strings.HasPrefix(strings.TrimLeft(text, " "), "::") {
		text = "| " + text
	}
	return strings.ReplaceAll(text, "##[", "## [")
}

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
