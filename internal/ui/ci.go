package ui

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// ci is the CI system that shows norn's output as a job's log.
type ci int

const (
	noCI    ci = iota
	otherCI    // a system whose logs have no foldable sections
	github
	gitlab
)

// detectCI returns the CI system. GitHub Actions and GitLab identify themselves, and all common systems set CI.
func detectCI() ci {
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

// beginSection returns the line that begins a foldable section of the log, or "" if sections are not supported.
// Sources: docs.github.com, Workflow commands, Grouping log lines; docs.gitlab.com, Job logs, Custom collapsible
// sections.
func (c ci) beginSection(name string, at time.Time) string {
	switch c {
	case github:
		return "::group::" + escapeCommandData.Replace(name) + "\n"
	case gitlab:
		return fmt.Sprintf("\x1b[0Ksection_start:%d:%s[collapsed=true]\r\x1b[0K%s\n", at.Unix(), gitlabSection(name), name)
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
