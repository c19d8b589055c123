package job

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s/rollout"
)

// container is the name of the container that a Job runs for. It alone decides when the Job has ended, and how. Its Pod
// may have other containers, which admission controllers inject or users add, and which may fail or run forever.
type container string

// deadlineExceeded is the reason of a Pod that the kubelet fails at its deadline.
const deadlineExceeded = "DeadlineExceeded"

// status returns the container's status, or nil. The kubelet sorts the statuses by name.
func (c container) status(p *corev1.Pod) *corev1.ContainerStatus {
	i := slices.IndexFunc(p.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == string(c) })
	if i < 0 {
		return nil
	}
	return &p.Status.ContainerStatuses[i]
}

func (c container) hasStarted(p *corev1.Pod) bool {
	s := c.status(p)
	return c.hasEnded(p) || s != nil && (s.State.Running != nil || s.State.Terminated != nil)
}

// hasEnded reports whether the container has ended. It waits for the phase, which the kubelet sets together with the
// Pod's reason, unless another container may keep the Pod from ending.
func (c container) hasEnded(p *corev1.Pod) bool {
	if p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded {
		return true
	}
	s := c.status(p)
	return s != nil && s.State.Terminated != nil && slices.ContainsFunc(allStatuses(p), isUnended)
}

func allStatuses(p *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
}

func isUnended(s corev1.ContainerStatus) bool { return s.State.Terminated == nil }

// blocked returns why the container will not start, or "". A container that runs or has ended is not blocked, whatever
// the others do.
func (c container) blocked(p *corev1.Pod, now time.Time) (rollout.Reason, string) {
	s := c.status(p)
	if s != nil && s.State.Running != nil {
		return "", ""
	}
	own := p.DeepCopy()
	own.Status.ContainerStatuses = nil
	if s != nil {
		own.Status.ContainerStatuses = []corev1.ContainerStatus{*s}
	}
	if s != nil && s.State.Terminated != nil {
		own.Status.InitContainerStatuses = nil
	}
	return rollout.BlockedReason(own, now)
}

// verdict returns an error if the container failed.
func (c container) verdict(p *corev1.Pod) error {
	s := c.status(p)
	switch {
	case c.timedOut(p):
		return &ExitError{Code: 124, What: "it ran longer than its timeout"} // the exit code of timeout(1)
	case s == nil || s.State.Terminated == nil:
		why := strings.TrimSpace(p.Status.Reason + " " + p.Status.Message)
		return fmt.Errorf("the Pod failed: %s", cmp.Or(why, "its container "+string(c)+" never ended"))
	case s.State.Terminated.ExitCode != 0:
		what := p.Status.Reason
		switch ended := s.State.Terminated; {
		case ended.Reason != "Error":
			what = ended.Reason
		case what == deadlineExceeded: // of the Pod, after the container
			what = ""
		}
		return &ExitError{Code: int(s.State.Terminated.ExitCode), What: what}
	}
	return nil
}

// timedOut reports whether the Pod's deadline ended the container. One that ended before it did not time out, even if
// the kubelet was late to see that, and failed the Pod. Until all other containers have ended, the Pod's status has no
// reason.
func (c container) timedOut(p *corev1.Pod) bool {
	s, limit, start := c.status(p), p.Spec.ActiveDeadlineSeconds, p.Status.StartTime
	if p.Status.Phase == corev1.PodSucceeded {
		return false
	}
	if s == nil || s.State.Terminated == nil || s.State.Terminated.FinishedAt.IsZero() || limit == nil || start == nil {
		return p.Status.Reason == deadlineExceeded
	}
	deadline := start.Add(time.Duration(*limit) * time.Second)
	return !s.State.Terminated.FinishedAt.Time.Before(deadline)
}
