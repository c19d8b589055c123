package lease

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Dead is true only for ended processes of this machine.
func TestDead(t *testing.T) {
	h := ThisProcess("norn test")
	if h.Dead(h.Process) {
		t.Error("this process counts as dead")
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(h.Process, "/")
	of := strings.Join([]string{parts[0], strconv.Itoa(child.Process.Pid), started(child.Process.Pid)}, "/")
	if h.Dead(of) {
		t.Error("a running child counts as dead")
	}
	if h.Dead(strings.Join([]string{"elsewhere", parts[1], "0"}, "/")) || h.Dead("") || dead("", "/1/0") ||
		h.Dead("a/b/c") {
		t.Error("a process of another machine, or an invalid value, counts as dead")
	}
	if !h.Dead(strings.Join([]string{parts[0], parts[1], "1"}, "/")) {
		t.Error("a process whose number another one has now counts as alive")
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if !h.Dead(of) {
		t.Error("an ended child counts as alive")
	}
}

func TestJob(t *testing.T) {
	for _, name := range []string{"GITHUB_RUN_ID", "CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL"} {
		t.Setenv(name, "")
	}
	if got := job(); got != "" {
		t.Errorf("job %q outside of CI", got)
	}
	t.Setenv("CI_JOB_URL", "https://gitlab.example.com/j/1")
	if got := job(); got != "https://gitlab.example.com/j/1" {
		t.Errorf("job %q", got)
	}
	t.Setenv("GITHUB_RUN_ID", "7")
	t.Setenv("GITHUB_SERVER_URL", "https://github.example.com")
	t.Setenv("GITHUB_REPOSITORY", "team/shop")
	if got := job(); got != "https://github.example.com/team/shop/actions/runs/7" {
		t.Errorf("job %q", got)
	}
}

// In a CI job, the user is who started the job, not the runner's account.
func TestCurrentUserInCI(t *testing.T) {
	for _, name := range []string{"GITHUB_RUN_ID", "CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL"} {
		t.Setenv(name, "")
	}
	t.Setenv("GITHUB_ACTOR", "")
	t.Setenv("GITLAB_USER_LOGIN", "ada")
	if got := CurrentUser(); got == "ada" {
		t.Error("the variable counts outside of a CI job")
	}
	t.Setenv("CI_JOB_URL", "https://gitlab.example.com/1")
	if got := CurrentUser(); got != "ada" {
		t.Errorf("GitLab: %q", got)
	}
	t.Setenv("GITHUB_RUN_ID", "1")
	t.Setenv("GITHUB_ACTOR", "grace")
	if got := CurrentUser(); got != "grace" {
		t.Errorf("GitHub: %q", got)
	}
}
