package rollout

import (
	"cmp"
	"fmt"
	"regexp"
)

// Patterns for the lines that the OCI runtime (runc, crun) writes to a container's log when it cannot execute the
// container's program.
var (
	execFormat  = regexp.MustCompile(`(?:exec (\S+): |exec user process caused: ?"?)exec format error`)
	execMissing = regexp.MustCompile(`(?:exec (\S+): |exec user process caused: ?"?)no such file or directory`)
)

// Refine returns v with a more exact reason if v is a crash loop and the container's last log lines explain why its
// program cannot run. Some runtimes report that only in the log.
func (v Verdict) Refine(log []string) Verdict {
	if v.Reason != CrashLoop {
		return v
	}
	for _, line := range log {
		if execFormat.MatchString(line) {
			v.Reason = WrongArchitecture
			v.Message = fmt.Sprintf(wrongFormatMessage, v.Container+v.remark)
		} else if m := execMissing.FindStringSubmatch(line); m != nil {
			v.Reason = CommandNotFound
			v.Message = fmt.Sprintf("container %s cannot start: the image lacks %s, or an interpreter or library that it needs",
				v.Container+v.remark, cmp.Or(m[1], "its program"))
		}
	}
	return v
}
