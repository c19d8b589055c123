package rollout

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Observation is the state of an app's Deployment, and of what it owns, at one moment.
type Observation struct {
	Deployment  *appsv1.Deployment // nil when there is none
	Generation  int64              // of the awaited change; an observation of an older generation tells nothing
	ReplicaSets []*appsv1.ReplicaSet
	Pods        []*corev1.Pod
	Claims      []*corev1.PersistentVolumeClaim
	// Events are those of the namespace's pods and claims; none if the user may not list them.
	Events []*corev1.Event
	// AllowRestarts, if set, replaces DefaultAllowedRestarts.
	AllowRestarts *int
	// Now, if set, is the time of the observation: a container that restarted within the last minute does not count as
	// running. It is for a single observation, which nobody follows up.
	Now time.Time
}

func (o Observation) allowedRestarts() int {
	if o.AllowRestarts == nil {
		return DefaultAllowedRestarts
	}
	return *o.AllowRestarts
}

// ending reports whether pods are on their way out, whose room others may get.
func (o Observation) ending() bool {
	return slices.ContainsFunc(o.Pods, func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil })
}

// lastEvent is the newest event about an object that is of this kind, or nil.
func (o Observation) lastEvent(about types.UID, is func(*corev1.Event) bool) *corev1.Event {
	var last *corev1.Event
	for _, e := range o.Events {
		if about != "" && e.InvolvedObject.UID == about && is(e) && (last == nil || !happened(e).Before(happened(last))) {
			last = e
		}
	}
	return last
}

// happened is when an event last came; those of the newer API have that in their series.
func happened(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil:
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	}
	return e.EventTime.Time
}

func claimUID(o Observation, name string) types.UID {
	for _, c := range o.Claims {
		if c.Name == name {
			return c.UID
		}
	}
	return ""
}
