package ui

import (
	"os"
	"testing"
)

// TestMain removes the variables that change norn's output. A CI system that runs the tests sets some of them.
func TestMain(m *testing.M) {
	for _, name := range []string{
		"CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "GITLAB_CI", "TF_BUILD", "TEAMCITY_VERSION",
		"NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM", "COLORFGBG", "SSH_CONNECTION", "SSH_TTY",
	} {
		_ = os.Unsetenv(name)
	}
	os.Exit(m.Run())
}
