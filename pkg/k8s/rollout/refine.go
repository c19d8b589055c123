package rollout

import (
	"cmp"
	"fmt"
	"regexp"
)

// What the OCI runtime's own process writes to a container's log when it cannot become the container's program (runc,
// crun).
var (
	execFormat  = regexp.MustCompile(`(?:exec (\S+): |exec user process caused: ?"?)exec format error`)
	execMissing = regexp.MustCompile(`(?:exec (\S+): |exec user process caused: ?"?)no such file or directory`)
)

// Refine returns v with a more exact reason if v is a crash loop and the container's last log lines tell why its
// program cannot run. Some runtimes say that only there.
func (v Verdict) Refine(log []string) Verdict {
	if v.Reason != CrashLoop {
		return v
	}
	for _, line := range log {
		if execFormat.MatchString(line) {
			v.Reason = WrongArchitecture
			v.Message = fmt.Sprintf(wrongFormatMessage, v.Container)
		} else if m := execMissing.FindStringSubmatch(line); m != nil {
			v.Reason = CommandNotFound
			v.Message = fmt.Sprintf("container %s cannot start: the image lacks %s, or an interpreter or library that it needs",
				v.Container, cmp.Or(m[1], "its program"))
		}
	}
	return v
}
