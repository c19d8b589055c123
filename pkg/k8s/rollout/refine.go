package rollout

import (
	"fmt"
	"regexp"
)

// What the OCI runtime's own process leaves in a container's log when it cannot become the container's.
var (
	execFormat  = regexp.MustCompile(`(?:exec (\S+): |exec user process caused: ?"?)exec format error`)
	execMissing = regexp.MustCompile(`(?:exec (\S+): |exec user process caused: ?"?)no such file or directory`)
)

// Refine makes a crash loop's verdict more exact by the container's last log lines: some runtimes say only there that the
// program cannot be run at all.
func (v Verdict) Refine(log []string) Verdict {
	if v.Reason != CrashLoop {
		return v
	}
	for _, line := range log {
		if execFormat.MatchString(line) {
			v.Reason = WrongArchitecture
			v.Message = fmt.Sprintf("container %s cannot be started: its program is built for another processor (exec format error)", v.Container)
		} else if m := execMissing.FindStringSubmatch(line); m != nil {
			v.Reason = CommandNotFound
			v.Message = fmt.Sprintf("container %s cannot be started: %s, or the interpreter or library that it needs, is not in the image", v.Container, m[1])
		}
	}
	return v
}
