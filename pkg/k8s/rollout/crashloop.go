package rollout

import (
	"fmt"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// restartFailure returns a failure for a container that has ended more often than allowed, and has not come up since.
func restartFailure(o Observation, p *corev1.Pod, s corev1.ContainerStatus) Verdict {
	if ends(s) == 0 || s.Ready && !justRestarted(s, o.Now) {
		return Verdict{}
	}
	r := killedBy(o, p, s.Name)
	allowed := o.allowedRestarts()
	limit := startupLimit(p, s, r)
	if r != nil && r.refusedPort > 0 && r.atStart(limit) {
		// It has refused connections for minutes. A restart that is allowed by default would only repeat that.
		allowed--
	}
	if rebooted(s) {
		allowed++
	}
	if ends(s) <= allowed {
		return Verdict{}
	}
	if r != nil {
		return killedFailure(s, r, limit)
	}
	t := lastEnd(s)
	if outOfMemory(s) {
		return failed(OutOfMemory, "container %s was killed %s at its memory limit%s",
			s.Name, times(ends(s)), memoryLimit(p, s.Name))
	}
	return failed(CrashLoop, "container %s %s", s.Name, ending(t, ends(s)))
}

// killedFailure returns the failure of a container that the kubelet has killed because of a probe. limit is how long it
// had to start, or 0 if it had started.
func killedFailure(s corev1.ContainerStatus, r *probeResult, limit time.Duration) Verdict {
	reason, after := LivenessKilled, ""
	if r.atStart(limit) {
		reason = ProbeFailing
	}
	if limit > 0 {
		after = fmt.Sprintf(" after %s", limit)
	}
	v := failed(reason, "container %s was killed %s by its %s probe%s: %s", s.Name, times(ends(s)), r.probe, after, r.text)
	v.Port, v.StartupLimit = r.refusedPort, limit
	return v
}

// oomKilled is the reason of a container that the kernel has killed at its memory limit.
const oomKilled = "OOMKilled"

// outOfMemory reports whether a container's last run ended at its memory limit. The container runtime can miss the
// kernel's event, and then only the signal is left: it counts if the run before ended at the limit.
func outOfMemory(s corev1.ContainerStatus) bool {
	last := lastEnd(s)
	if last == nil || last.Reason == oomKilled {
		return last != nil
	}
	before := s.LastTerminationState.Terminated
	return last.ExitCode == 128+int32(syscall.SIGKILL) && before != nil && before.Reason == oomKilled
}

// lastEnd returns how the container's last run ended, or nil.
func lastEnd(s corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if s.State.Terminated != nil {
		return s.State.Terminated
	}
	return s.LastTerminationState.Terminated
}

// ends returns how many of the container's runs have ended.
func ends(s corev1.ContainerStatus) int {
	n := int(s.RestartCount)
	if s.State.Running == nil && lastEnd(s) != nil { // the kubelet has not restarted it yet
		n++
	}
	return n
}

// justRestarted reports whether the container has run for less than provenAfter. It is false if now is zero.
func justRestarted(s corev1.ContainerStatus, now time.Time) bool {
	r := s.State.Running
	return r != nil && !now.IsZero() && now.Sub(r.StartedAt.Time) < provenAfter
}

// ending returns a phrase for how a container's last run ended, and for the number n of ended runs. By the shells'
// convention, an exit code above 128 stands for a signal (man 1 bash: Exit Status).
func ending(t *corev1.ContainerStateTerminated, n int) string {
	if t == nil {
		return "ended " + times(n)
	}
	text := fmt.Sprintf("ended with exit code %d", t.ExitCode)
	if signal := syscall.Signal(t.ExitCode - 128); t.ExitCode > 128 && t.ExitCode < 160 {
		text = fmt.Sprintf("was killed by signal %d, %s (exit code %d)", signal, signal, t.ExitCode)
	}
	return text + ", " + times(n)
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

func memoryLimit(p *corev1.Pod, name string) string {
	if c := container(p, name); c != nil && !c.Resources.Limits.Memory().IsZero() {
		return " of " + c.Resources.Limits.Memory().String()
	}
	return ""
}
