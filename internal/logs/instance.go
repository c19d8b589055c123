package logs

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// view is the state of a container that matters for its logs.
type view struct {
	current     string // container ID of the newest instance that has started, or ""
	ended       bool   // current has ended
	previous    string // container ID of the instance before current whose log the kubelet keeps, or ""
	previousEnd int64  // when previous ended: Unix nanoseconds of a whole second, 0 if unknown
	terminating bool   // the pod is being deleted
	podGone     bool   // the pod is deleted, and its logs with it
}

// instanceState is the way in which the log of an instance can be read.
type instanceState int

const (
	instanceGone     instanceState = iota // not at all
	instanceRunning                       // by following it
	instanceEnded                         // to its end
	instancePrevious                      // to its end, with PodLogOptions.Previous
)

// stateOf returns the state of an instance of the container.
func (v view) stateOf(instance string) instanceState {
	switch {
	case v.podGone:
		return instanceGone
	case instance == v.current && v.ended:
		return instanceEnded
	case instance == v.current:
		return instanceRunning
	case instance == v.previous:
		return instancePrevious
	default:
		return instanceGone
	}
}

// viewOf returns the view of a Pod's container. A nil Pod means a deleted Pod.
func viewOf(p *corev1.Pod, container string) view {
	if p == nil {
		return view{podGone: true}
	}
	for _, s := range containerStatuses(p) {
		if s.Name != container {
			continue
		}
		v := view{terminating: p.DeletionTimestamp != nil}
		if t := s.LastTerminationState.Terminated; t != nil {
			v.previous = t.ContainerID
			if !t.FinishedAt.IsZero() {
				v.previousEnd = t.FinishedAt.UnixNano()
			}
		}
		switch t := s.State.Terminated; {
		case s.State.Running != nil:
			v.current = s.ContainerID
		case t != nil && t.ContainerID != "":
			v.current, v.ended = t.ContainerID, true
		default: // between two instances, the kubelet serves the log of the last ended one
			v.current, v.ended, v.previous = v.previous, true, ""
		}
		if v.previous == v.current {
			v.previous = ""
		}
		v.ended = v.ended || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
		return v
	}
	return view{}
}

// lastTerminated returns the ID of a container's previous instance, or "".
func lastTerminated(p *corev1.Pod, container string) string {
	for _, s := range containerStatuses(p) {
		if t := s.LastTerminationState.Terminated; s.Name == container && t != nil {
			return t.ContainerID
		}
	}
	return ""
}

// containerStatuses returns the statuses of all containers of a pod, in the order in which the containers start.
func containerStatuses(p *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(
		p.Status.InitContainerStatuses, p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses)
}
