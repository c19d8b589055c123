package ui

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// ci is the CI system that shows norn's output as a job's log.
type ci int

const (
	noCI    ci = iota
	otherCI    // a system whose logs have no foldable sections
	github
	gitlab
)

// detectCI returns the CI system. Most set CI. GitHub Actions, GitLab, Azure Pipelines and TeamCity name themselves.
func detectCI() ci {
	switch {
	case OnGitHub():
		return github
	case os.Getenv("GITLAB_CI") == "true":
		return gitlab
	case os.Getenv("TF_BUILD") != "" || os.Getenv("TEAMCITY_VERSION") != "":
		return otherCI
	case os.Getenv("CI") != "" && os.Getenv("CI") != "false" && os.Getenv("CI") != "0":
		return otherCI
	default:
		return noCI
	}
}

// beginSection returns the line that begins a foldable section of the log, or "" if sections are not supported.
// Sources: docs.github.com, Workflow commands, Grouping log lines; docs.gitlab.com, Job logs, Custom collapsible
// sections.
func (c ci) beginSection(name string, at time.Time) string {
	switch c {
	case github:
		return "::group::" + commandData(name) + "\n"
	case gitlab:
		return fmt.Sprintf("\x1b[0Ksection_start:%d:%s[collapsed=true]\r\x1b[0K%s\n",
			at.Unix(), gitlabSection(name), clean(name))
	default:
		return ""
	}
}

// endSection returns the line that ends the section.
func (c ci) endSection(name string, at time.Time) string {
	switch c {
	case github:
		return "::endgroup::\n"
	case gitlab:
		return fmt.Sprintf("\x1b[0Ksection_end:%d:%s\r\x1b[0K", at.Unix(), gitlabSection(name))
	default:
		return ""
	}
}

// escapeCommands changes a line from elsewhere that a CI system would take for a command:
//
//   - GitHub Actions: "::" at the beginning of the line, and "##[" anywhere (github.com/actions/runner: ActionCommand).
//     The runner skips blanks, and its comparison of texts ignores characters without a width.
//   - Azure Pipelines: "##[" and "##vso[" (github.com/microsoft/azure-pipelines-agent: Command).
//   - TeamCity: "##teamcity[" (its documentation: Service messages).
//
// GitLab's section markers begin with an escape, which clean removes.
func (c ci) escapeCommands(line string) string {
	if c == noCI {
		return line
	}
	if strings.HasPrefix(strings.Map(visible, line), "::") {
		line = "| " + line
	}
	return hashCommand.ReplaceAllString(line, "## $1[")
}

// visible returns r if it is neither a blank nor without a width, and -1 otherwise.
func visible(r rune) rune {
	if unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) {
		return r
	}
	return -1
}

var hashCommand = regexp.MustCompile(`#[\pM\p{Cf}]*#[\pM\p{Cf}]*([A-Za-z]*)[\pM\p{Cf}]*\[`)

// hasSections reports whether the log supports foldable sections.
func (c ci) hasSections() bool { return c == github || c == gitlab }

// gitlabSection returns the identifier of a section. GitLab allows letters, digits, '_', '.' and '-'.
func gitlabSection(name string) string {
	return "norn_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, name)
}
