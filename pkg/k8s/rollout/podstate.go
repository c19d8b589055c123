package rollout

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// PodSummary describes a pod in one line.
type PodSummary struct {
	State    string // such as Running, CrashLoopBackOff, Terminating
	Message  string // the cluster's message about the Pod, or ""
	Ready    bool
	Restarts int // the sum over all containers
}

// Summarize returns the state of a pod by the rules of kubectl get pods: if a container keeps the pod from running, its
// state is the pod's.
func Summarize(p *corev1.Pod) PodSummary {
	s := PodSummary{State: string(p.Status.Phase), Message: p.Status.Message}
	if p.Status.Reason != "" {
		s.State = p.Status.Reason
	}
	if c := condition(p, corev1.PodReady); c != nil {
		s.Ready = c.Status == corev1.ConditionTrue
	}
	if c := condition(p, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse {
		s.State, s.Message = c.Reason, brief(c.Message, "")
	}
	for _, c := range p.Status.ContainerStatuses {
		s.Restarts += int(c.RestartCount)
		containerState(&s, p, c, "")
	}
	for _, c := range p.Status.InitContainerStatuses {
		s.Restarts += int(c.RestartCount)
		containerState(&s, p, c, "Init:")
	}
	if p.DeletionTimestamp != nil {
		s.State, s.Ready = "Terminating", false
	}
	return s
}

func containerState(s *PodSummary, p *corev1.Pod, c corev1.ContainerStatus, prefix string) {
	switch w, t := c.State.Waiting, c.State.Terminated; {
	case w != nil && w.Reason != "" && (prefix == "" || w.Reason != "PodInitializing"):
		s.State, s.Message = prefix+w.Reason, brief(w.Message, "")
	case t != nil && t.ExitCode != 0:
		s.State, s.Message = prefix+t.Reason, fmt.Sprintf("container %s%s ended with exit code %d",
			c.Name, remark(Observation{}, p, c.Name), t.ExitCode)
	}
}

// BlockedReason returns why a pod will not start on its own, with a message, or "" if it may still start. A pod in a
// crash loop is blocked even while its container is briefly running.
func BlockedReason(p *corev1.Pod, now time.Time) (Reason, string) {
	v := containersFailure(Observation{Now: now}, []*corev1.Pod{p})
	if v.State != Failed && v.Reason != ImagePull {
		return "", ""
	}
	return v.Reason, v.Message
}

// slowestStart is the longest start that StartTook believes.
const slowestStart = 10 * time.Minute

// StartTook returns how long a Pod took from its creation until its containers were ready. It is unknown if the Pod is
// not ready, or a container has restarted.
func StartTook(p *corev1.Pod) (took time.Duration, known bool) {
	c := condition(p, corev1.ContainersReady)
	if c == nil || c.Status != corev1.ConditionTrue || !isReady(p) || Summarize(p).Restarts > 0 {
		return 0, false
	}
	took = c.LastTransitionTime.Sub(p.CreationTimestamp.Time)
	return took, took <= slowestStart
}
