package rollout

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// How long a problem may last that often resolves itself.
const (
	schedulePatience = 10 * time.Second // until a node has room, or a claim has its volume
	mountPatience    = 15 * time.Second // until a volume is detached from another node
	refusedPatience  = 3 * time.Second  // until terminating Pods free their share of a quota
	admissionRetries = 10 * time.Second // until an admission webhook answers again
)

// pendingFailure finds a pod that no node can run, or whose volumes are not mounted.
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

// Patterns for the scheduler's messages about a Pod that no node can run. They appear only in the message of the
// PodScheduled condition, not in a field. Sources: k8s.io/kubernetes/pkg/scheduler/framework/plugins: volumebinding,
// noderesources, tainttoleration.
var (
	unboundClaim = regexp.MustCompile(`(?i)unbound.*persistentvolumeclaim|persistentvolumeclaim .*not found|` +
		`didn't find available persistent volumes`)
	insufficient = regexp.MustCompile(`Insufficient ([\w./-]*\w)`)
	untolerated  = regexp.MustCompile(`untolerated taint`)
)

func unscheduled(o Observation, p *corev1.Pod) Verdict {
	c := condition(p, corev1.PodScheduled)
	if c == nil || c.Status != corev1.ConditionFalse || c.Reason != corev1.PodReasonUnschedulable {
		return Verdict{}
	}
	message := brief(withoutPreemption(c.Message), c.Reason)
	if unboundClaim.MatchString(message) {
		return unbound(o, p, message)
	}
	patience := schedulePatience
	if p.Status.NominatedNodeName != "" || o.ending() || o.lastEvent(p.UID, isScaleUp) != nil {
		patience = 0 // resources are being freed or added
	}
	v := stalled(Unschedulable, patience, "no node can run Pod %s: %s", p.Name, message)
	v.Resources = names(insufficient, message)
	v.Tainted = untolerated.MatchString(message)
	return v
}

// unbound returns the verdict for a Pod that waits for a claim, with the cluster's warnings about its claims.
func unbound(o Observation, p *corev1.Pod, message string) Verdict {
	var warned, pending, first string
	for _, name := range claimNames(p) {
		first = cmp.Or(first, name)
		claim := o.claim(name)
		if claim == nil {
			continue
		}
		if claim.Status.Phase != corev1.ClaimBound {
			pending = cmp.Or(pending, name)
		}
		if e := o.lastEvent(claim.UID, isWarning); e != nil {
			warned = cmp.Or(warned, name)
			message += "; claim " + name + ": " + brief(e.Message, e.Reason)
		}
	}
	v := stalled(VolumeNotBound, schedulePatience, "no node can run Pod %s: %s", p.Name, message)
	v.Claim = cmp.Or(warned, pending, first)
	return v
}

// names returns the sorted and distinct matches of the pattern's first group in text.
func names(pattern *regexp.Regexp, text string) []string {
	var out []string
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// withoutPreemption removes the scheduler's remark about evicting other Pods in favor of this one
// (k8s.io/kubernetes/pkg/scheduler/framework/preemption).
func withoutPreemption(message string) string {
	head, _, _ := strings.Cut(message, " preemption:")
	return strings.TrimSpace(head)
}

func claimNames(p *corev1.Pod) []string {
	var out []string
	for _, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim != nil {
			out = append(out, v.PersistentVolumeClaim.ClaimName)
		}
	}
	return out
}

// unmountedVolume matches the volume's name in the kubelet's event, which has no field for it: either the Pod's name
// for the volume, or the PersistentVolume's (k8s.io/kubernetes/pkg/volume/util/types, pkg/kubelet/volumemanager).
var unmountedVolume = regexp.MustCompile(`for volume "([^"]+)"|unmounted volumes=\[([^\] ,]+)`)

// unmounted finds a Pod whose volume cannot be mounted. It reads the kubelet's events, because the container's state
// is only ContainerCreating.
func unmounted(o Observation, p *corev1.Pod) Verdict {
	if c := condition(p, corev1.PodReadyToStartContainers); c != nil && c.Status == corev1.ConditionTrue {
		return Verdict{}
	}
	e := o.lastEvent(p.UID, func(e *corev1.Event) bool {
		return e.Reason == "FailedMount" || e.Reason == "FailedAttachVolume" || e.Reason == "FailedMapVolume"
	})
	// "failed to sync" means that the kubelet has not filled its caches yet
	// (k8s.io/kubernetes/pkg/kubelet/util/manager).
	if e == nil || strings.Contains(e.Message, "failed to sync") {
		return Verdict{}
	}
	v := stalled(VolumeNotMounted, mountPatience, "Pod %s cannot start: %s", p.Name, brief(e.Message, e.Reason))
	if m := unmountedVolume.FindStringSubmatch(e.Message); m != nil {
		v.Claim, v.HostPath = volumeSource(o, p, cmp.Or(m[1], m[2]))
	}
	return v
}

// volumeSource returns the claim or the host path of a pod's volume, by the volume's name or its PersistentVolume's.
func volumeSource(o Observation, p *corev1.Pod, name string) (claim, hostPath string) {
	for _, v := range p.Spec.Volumes {
		switch c, h := v.PersistentVolumeClaim, v.HostPath; {
		case h != nil && v.Name == name:
			return "", h.Path
		case c == nil:
		case v.Name == name:
			return c.ClaimName, ""
		default:
			if live := o.claim(c.ClaimName); live != nil && live.Spec.VolumeName == name {
				return c.ClaimName, ""
			}
		}
	}
	return "", ""
}

// Patterns for the API server's messages about a rejected Pod. The ReplicaSet keeps the message in a condition, but
// not the status code. Sources: k8s.io/apiserver/pkg/admission/plugin/resourcequota,
// k8s.io/apiserver/pkg/admission/plugin/webhook.
var (
	exceededQuota = regexp.MustCompile(`exceeded quota: \S+ requested: (\S+)`)
	quotaResource = regexp.MustCompile(`(?:^|,)(?:requests\.|limits\.)?([^=,]+)=`)
	refusal       = regexp.MustCompile(`forbidden|denied the request|is invalid`)
)

// refusedPods reads the condition of the new ReplicaSet. The Deployment's own condition can be a stale copy of an old
// ReplicaSet's.
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
		case strings.Contains(message, "exceeded quota"):
			patience := refusedPatience
			if o.ending() {
				patience = 0
			}
			v := stalled(QuotaExceeded, patience, "new Pods are refused: %s", message)
			if m := exceededQuota.FindStringSubmatch(message); m != nil {
				v.Resources = names(quotaResource, m[1])
			}
			return v
		case refusal.MatchString(message):
			v := failed(PodsRefused, "new Pods are refused: %s", message)
			v.Violations = violations(c.Message)
			return v
		}
		return stalled(PodsRefused, admissionRetries, "new Pods are refused: %s", message)
	}
	return Verdict{}
}

// lostPods finds new Pods that their node evicted or lost during this rollout. The ReplicaSet replaces them, but the
// replacements may fail too.
func lostPods(o Observation, current *appsv1.ReplicaSet) Verdict {
	if current == nil {
		return Verdict{}
	}
	lost := 0
	var last *corev1.Pod
	for _, p := range o.Pods {
		if metav1.IsControlledBy(p, current) && p.Status.Phase == corev1.PodFailed && p.DeletionTimestamp == nil &&
			!o.Before[p.UID] {
			lost++
			last = p
		}
	}
	if lost <= o.allowedRestarts() {
		return Verdict{}
	}
	v := failed(PodLost, "the nodes rejected or evicted %s, the last one with reason %s: %s",
		plural(lost, "Pod"), last.Status.Reason, brief(last.Status.Message, last.Status.Reason))
	v.Pod, v.Container = last.Name, firstContainer(last)
	return v
}

// firstContainer returns the name of the app's own container, which is not the first if a sidecar stands before it.
func firstContainer(p *corev1.Pod) string {
	if len(p.Spec.Containers) == 0 {
		return ""
	}
	app := p.Labels["app"] // metadata.AppLabel
	i := slices.IndexFunc(p.Spec.Containers, func(c corev1.Container) bool { return c.Name == app })
	return p.Spec.Containers[max(0, i)].Name
}
