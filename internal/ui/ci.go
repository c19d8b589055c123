package ui

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// ci is a CI system, as far as the look of its logs depends on it.
type ci int

const (
	noCI    ci = iota
	otherCI    // a job's log without folding
	github
	gitlab
)

// ciLog says whose job this is: GitHub Actions and GitLab name themselves, and all common systems set CI.
func ciLog() ci {
	switch {
	case OnGitHub():
		return github
	case os.Getenv("GITLAB_CI") == "true":
		return gitlab
	case os.Getenv("CI") != "" && os.Getenv("CI") != "false" && os.Getenv("CI") != "0":
		return otherCI
	default:
		return noCI
	}
}

// open begins a part of the log that can be folded, or is "" where there is none. Sources: docs.github.com, Workflow commands, Grouping log
// lines; docs.gitlab.com, Job logs, Custom collapsible sections.
func (c ci) open(name string, at time.Time) string {
	switch c {
	case github:
		return "::group::" + data.Replace(name) + "\n"
	case gitlab:
		return fmt.Sprintf("\x1b[0Ksection_start:%d:%s[collapsed=true]\r\x1b[0K%s\n", at.Unix(), section(name), name)
	default:
		return ""
	}
}

// close ends what open has begun.
func (c ci) close(name string, at time.Time) string {
	switch c {
	case github:
		return "::endgroup::\n"
	case gitlab:
		return fmt.Sprintf("\x1b[0Ksection_end:%d:%s\r\x1b[0K", at.Unix(), section(name))
	default:
		return ""
	}
}

// folds reports whether parts of the log can be folded.
func (c ci) folds() bool { return c == github || c == gitlab }

// section is a name as GitLab allows it: letters, digits, '_', '.' and '-'.
func section(name string) string {
	return "norn_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, name)
}

// escapeWorkflowCommand is a text from elsewhere as a job's log may show it: GitHub takes "##[" for a command wherever it stands, and "::" at the
// beginning of a line, blanks aside (github.com/actions/runner: ActionCommand).
func escapeWorkflowCommand(text string) string {
	if !OnGitHub() {
		return text
	}
	if strings.HasPrefix(strings.TrimLeft(text, " "), "::") {
		text = "| " + text
	}
	return strings.ReplaceAll(text, "##[", "## [")
}
