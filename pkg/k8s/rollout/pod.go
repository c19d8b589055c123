package rollout

import (
	"regexp"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// How long what often passes by itself may last.
const (
	schedulePatience = 10 * time.Second // a node that is freed, a claim that is bound
	mountPatience    = 15 * time.Second // a volume that is detached elsewhere
	refusedPatience  = 3 * time.Second  // a quota that ending pods give back
	admissionRetries = 10 * time.Second // an admission webhook that does not answer
)

// pendingFailure finds a pod that no node takes, or whose volumes do not come.
func pendingFailure(o Observation, pods []*corev1.Pod) Verdict {
	for _, p := range pods {
		if p.Status.Phase != corev1.PodPending && p.Status.Phase != "" {
			continue
		}
		v := unscheduled(o, p)
		if v.State == Progressing {
			v = unmounted(o, p)
		}
		if v.State != Progressing {
			v.Pod, v.Container = p.Name, firstContainer(p)
			return v
		}
	}
	return Verdict{}
}

// unboundClaim is what the scheduler says of a claim without a volume (k8s.io/kubernetes/pkg/scheduler: volumebinding).
var unboundClaim = regexp.MustCompile(`(?i)unbound.*persistentvolumeclaim|persistentvolumeclaim .*not found|didn't find available persistent volumes`)

func unscheduled(o Observation, p *corev1.Pod) Verdict {
	c := condition(p, corev1.PodScheduled)
	if c == nil || c.Status != corev1.ConditionFalse || c.Reason != corev1.PodReasonUnschedulable {
		return Verdict{}
	}
	message := brief(withoutPreemption(c.Message), c.Reason)
	if unboundClaim.MatchString(message) {
		for _, claim := range claims(p) {
			if e := o.lastEvent(claimUID(o, claim), isWarning); e != nil {
				message += "; claim " + claim + ": " + brief(e.Message, e.Reason)
			}
		}
		return stalled(VolumeNotBound, schedulePatience, "no node can take pod %s: %s", p.Name, message)
	}
	patience := schedulePatience
	if p.Status.NominatedNodeName != "" || o.ending() || o.lastEvent(p.UID, func(e *corev1.Event) bool { return e.Reason == "TriggeredScaleUp" }) != nil {
		patience = 0 // room is being made
	}
	return stalled(Unschedulable, patience, "no node takes pod %s: %s", p.Name, message)
}

// withoutPreemption cuts off what the scheduler says of pods that it might have ended for this one.
func withoutPreemption(message string) string {
	head, _, _ := strings.Cut(message, " preemption:")
	return strings.TrimSpace(head)
}

func claims(p *corev1.Pod) []string {
	var names []string
	for _, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim != nil {
			names = append(names, v.PersistentVolumeClaim.ClaimName)
		}
	}
	return names
}

// unmounted goes by the kubelet's events: the container's state only says ContainerCreating.
func unmounted(o Observation, p *corev1.Pod) Verdict {
	if c := condition(p, corev1.PodReadyToStartContainers); c != nil && c.Status == corev1.ConditionTrue {
		return Verdict{}
	}
	e := o.lastEvent(p.UID, func(e *corev1.Event) bool {
		return e.Reason == "FailedMount" || e.Reason == "FailedAttachVolume" || e.Reason == "FailedMapVolume"
	})
	if e == nil || strings.Contains(e.Message, "failed to sync") { // the kubelet's caches are not filled yet
		return Verdict{}
	}
	return stalled(VolumeNotMounted, mountPatience, "pod %s cannot be started: %s", p.Name, brief(e.Message, e.Reason))
}

// refusedPods reads the new ReplicaSet's own condition: the Deployment's is copied from old ones too, and stays for a while.
func refusedPods(o Observation, current *appsv1.ReplicaSet) Verdict {
	if current == nil {
		return Verdict{}
	}
	for _, c := range current.Status.Conditions {
		if c.Type != appsv1.ReplicaSetReplicaFailure || c.Status != corev1.ConditionTrue {
			continue
		}
		message := brief(c.Message, c.Reason)
		switch {
		case strings.Contains(message, "exceeded quota") && o.ending():
			return stalled(QuotaExceeded, 0, "new pods are refused: %s", message)
		case strings.Contains(message, "exceeded quota"):
			return stalled(QuotaExceeded, refusedPatience, "new pods are refused: %s", message)
		case strings.Contains(message, "forbidden") || strings.Contains(message, "denied the request") || strings.Contains(message, "is invalid"):
			return failed(PodsRefused, "new pods are refused: %s", message)
		}
		return stalled(PodsRefused, admissionRetries, "new pods are refused: %s", message)
	}
	return Verdict{}
}

// lostPods finds new pods that their node gave up: their ReplicaSet makes others, which may fare no better.
func lostPods(o Observation, current *appsv1.ReplicaSet) Verdict {
	if current == nil {
		return Verdict{}
	}
	lost := 0
	var last *corev1.Pod
	for _, p := range o.Pods {
		if metav1.IsControlledBy(p, current) && p.Status.Phase == corev1.PodFailed && p.DeletionTimestamp == nil {
			lost++
			last = p
		}
	}
	if lost <= o.allowedRestarts() {
		return Verdict{}
	}
	v := failed(PodLost, "%s given up by the node, the last one as %s: %s", plural(lost, "pod"), last.Status.Reason, brief(last.Status.Message, last.Status.Reason))
	v.Pod, v.Container = last.Name, firstContainer(last)
	return v
}

func firstContainer(p *corev1.Pod) string {
	if len(p.Spec.Containers) == 0 {
		return ""
	}
	return p.Spec.Containers[0].Name
}
