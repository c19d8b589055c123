package lease

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// Holder describes the process that holds an app's lock or asks for it.
type Holder struct {
	User, Host string
	Command    string // such as "norn deploy"
	Job        string // URL of the CI job, or ""
	// Process identifies the process. No other process has the same value.
	Process string
	// Dead reports whether the process with this Process value ran on this machine and has ended. It is false if unknown.
	Dead func(process string) bool
}

// ThisProcess returns this process as a Holder that runs command.
func ThisProcess(command string) Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	machine := machine()
	return Holder{
		User: CurrentUser(), Host: host, Command: command, Job: job(),
		Process: fmt.Sprintf("%s/%d/%s", machine, os.Getpid(), cmp.Or(started(os.Getpid()), rand.Text()[:8])),
		Dead:    func(process string) bool { return dead(machine, process) },
	}
}

// CurrentUser returns who runs this process: in a CI job the user who started the job, else the user on this machine,
// or "unknown".
func CurrentUser() string {
	if job() != "" {
		for _, name := range []string{"GITHUB_ACTOR", "GITLAB_USER_LOGIN", "CIRCLE_USERNAME", "BUILDKITE_BUILD_CREATOR"} {
			if value := os.Getenv(name); value != "" {
				return value
			}
		}
	}
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}

// job returns the URL of the current CI job, from the environment variables of common CI systems, or "".
func job() string {
	if run := os.Getenv("GITHUB_RUN_ID"); run != "" {
		server, repository := os.Getenv("GITHUB_SERVER_URL"), os.Getenv("GITHUB_REPOSITORY")
		return fmt.Sprintf("%s/%s/actions/runs/%s", server, repository, run)
	}
	// GitLab, Jenkins, CircleCI, Buildkite
	for _, name := range []string{"CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL"} {
		if url := os.Getenv(name); url != "" {
			return url
		}
	}
	return ""
}

// machine returns the scope in which a process number is unique: the boot of the machine and the PID namespace of the
// container. It returns "" if unknown, as on all systems but Linux.
func machine() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + "+" + strings.Trim(strings.TrimPrefix(space, "pid:"), "[]")
}

// dead reports whether a process of this machine has ended. It is false for processes of other machines.
func dead(machine, process string) bool {
	parts := strings.Split(process, "/")
	if machine == "" || len(parts) != 3 || parts[0] != machine {
		return false
	}
	pid, err := strconv.Atoi(parts[1])
	if err != nil || pid <= 0 {
		return false
	}
	if p, err := os.FindProcess(pid); err == nil && errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) {
		return true
	}
	now := started(pid) // another process may have the number now
	return now != "" && now != parts[2]
}

// started returns when a process started, in clock ticks since boot, or "" if it cannot be read (man 5 proc: stat,
// starttime).
func started(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" { // a zombie has ended
		return "ended"
	}
	return fields[19]
}
