package rollout

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Observation is the state of an app's Deployment, and of the objects that it owns, at one moment.
type Observation struct {
	Deployment  *appsv1.Deployment // nil if it does not exist
	Generation  int64              // of the awaited change; an older Deployment's status is ignored
	ReplicaSets []*appsv1.ReplicaSet
	Pods        []*corev1.Pod
	Claims      []*corev1.PersistentVolumeClaim
	// Events are the namespace's events; none if the user cannot list them.
	Events []*corev1.Event
	// Nodes has the nodes of Pods that are not ready, by name, as far as the user can list them.
	Nodes map[string]NodeState
	// At is the time of the observation, for the ages of terminating Pods in messages.
	At time.Time
	// Before has the Pods that had failed before the change. They do not count as lost: the cluster keeps a failed Pod of
	// a ReplicaSet for days, and a rollback uses the ReplicaSet again. See FailedPods.
	Before map[types.UID]bool
	// Canary is how many new Pods a Deployment that is held gets beside its old ones; 0 if it is not held.
	Canary int
	// AllowRestarts, if set, replaces DefaultAllowedRestarts.
	AllowRestarts *int
	// Now, if set, is the time of the observation: a container that restarted within the last minute does not count as
	// running. Set it only for a single observation.
	Now time.Time
}

func (o Observation) allowedRestarts() int {
	if o.AllowRestarts == nil {
		return DefaultAllowedRestarts
	}
	return *o.AllowRestarts
}

// ending reports whether Pods are terminating, which frees resources for others. A Pod on a dead node frees none.
func (o Observation) ending() bool {
	return slices.ContainsFunc(o.Pods, func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil && !o.OnDeadNode(p) })
}

// lastEvent returns the newest event about an object that satisfies is, or nil.
func (o Observation) lastEvent(about types.UID, is func(*corev1.Event) bool) *corev1.Event {
	var last *corev1.Event
	for _, e := range o.Events {
		if about != "" && e.InvolvedObject.UID == about && is(e) && (last == nil || !happened(e).Before(happened(last))) {
			last = e
		}
	}
	return last
}

func isUnhealthy(e *corev1.Event) bool { return e.Reason == "Unhealthy" }

// isScaleUp reports whether an autoscaler adds a node for the Pod: cluster-autoscaler, or Karpenter.
func isScaleUp(e *corev1.Event) bool {
	return e.Reason == "TriggeredScaleUp" || e.Reason == "Nominated"
}

func isWarning(e *corev1.Event) bool { return e.Type == corev1.EventTypeWarning }

// happened returns when an event last occurred. In the newer API, the event's series has the time.
func happened(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil:
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	}
	return e.EventTime.Time
}

// claim returns a claim by its name, or nil.
func (o Observation) claim(name string) *corev1.PersistentVolumeClaim {
	for _, c := range o.Claims {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// FailedPods returns the Pods that have failed, for Observation.Before.
func FailedPods(pods []corev1.Pod) map[types.UID]bool {
	failed := map[types.UID]bool{}
	for i := range pods {
		if p := &pods[i]; p.Status.Phase == corev1.PodFailed {
			failed[p.UID] = true
		}
	}
	return failed
}
