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

// Holder describes who holds an app's lock, or asks for it.
type Holder struct {
	User, Host string
	Command    string // such as "norn deploy"
	Job        string // address of the CI job, or ""
	// Process identifies the process: no other process of this machine has the same value.
	Process string
	// Dead reports whether the process of this machine with this Process value has ended; false if that is not known.
	Dead func(process string) bool
}

// ThisProcess returns this process as the holder of a lock, running command.
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

// CurrentUser returns the name of the user who runs this process, or "unknown".
func CurrentUser() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}

// job is the address of the CI job that this is, by the variables of the common systems, or "".
func job() string {
	if run := os.Getenv("GITHUB_RUN_ID"); run != "" {
		return fmt.Sprintf("%s/%s/actions/runs/%s", os.Getenv("GITHUB_SERVER_URL"), os.Getenv("GITHUB_REPOSITORY"), run)
	}
	for _, name := range []string{"CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL"} { // GitLab, Jenkins, CircleCI, Buildkite
		if url := os.Getenv(name); url != "" {
			return url
		}
	}
	return ""
}

// machine tells apart what a process number means: the machine as it has been started (its boot), and on it the container (its
// process namespace). It is "" where that cannot be known, which is everywhere but on Linux.
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

// dead reports whether a process of this machine has ended. Of other machines' processes nothing is known.
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
	now := started(pid) // the number may have come to another process
	return now != "" && now != parts[2]
}

// started is when a process was started, in the kernel's clock ticks, or "" where that cannot be read (man 5 proc: stat, starttime).
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
