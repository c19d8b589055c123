package rollout

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// How long a volume can stay unmounted. A volume that another node has to release first, or that is being attached, may
// take the time of the whole rollout: a storage system needs up to minutes for it.
const (
	absentPatience = 15 * time.Second // until what a volume refers to exists
	mountPatience  = time.Minute      // until the kubelet has mounted it; it tries eight times in this time
)

// absentSource matches the kubelet's messages about a volume whose source does not exist (k8s.io/kubernetes/pkg/volume:
// hostpath, configmap, secret).
var absentSource = regexp.MustCompile(`hostPath type check failed|(?i)(configmap|secret)s? "[^"]*" not found|` +
	`references non-existent (config|secret) key`)

// stillWaiting matches the event that the kubelet repeats every two minutes while it waits for a volume, for example to
// be attached. It names no cause, and the event about an attached volume comes only once
// (k8s.io/kubernetes/pkg/kubelet/volumemanager, pkg/controller/volume/attachdetach/reconciler).
var stillWaiting = regexp.MustCompile(
	`unmounted volumes=\[.*: (timed out waiting for the condition|context deadline exceeded)$`)

// unmountedVolume matches the volume's name in the kubelet's event, which has no field for it: either the Pod's name
// for the volume, or the PersistentVolume's (k8s.io/kubernetes/pkg/volume/util/types, pkg/kubelet/volumemanager).
var unmountedVolume = regexp.MustCompile(`for volume "([^"]+)"|unmounted volumes=\[([^\] ,]+)`)

// unmounted finds a Pod whose volume cannot be mounted. It reads the kubelet's events, because the container's state
// is only ContainerCreating.
func unmounted(o Observation, p *corev1.Pod) Verdict {
	if c := condition(p, corev1.PodReadyToStartContainers); c != nil && c.Status == corev1.ConditionTrue {
		return Verdict{}
	}
	isMount := func(e *corev1.Event) bool {
		return e.Reason == "FailedMount" || e.Reason == "FailedAttachVolume" || e.Reason == "FailedMapVolume"
	}
	e := o.lastEvent(p.UID, func(e *corev1.Event) bool { return isMount(e) && !stillWaiting.MatchString(e.Message) })
	if e == nil {
		e = o.lastEvent(p.UID, isMount)
	}
	// "failed to sync" means that the kubelet has not filled its caches yet
	// (k8s.io/kubernetes/pkg/kubelet/util/manager).
	if e == nil || strings.Contains(e.Message, "failed to sync") {
		return Verdict{}
	}
	patience := mountPatience
	switch {
	case e.Reason == "FailedAttachVolume", stillWaiting.MatchString(e.Message):
		patience = 0
	case absentSource.MatchString(e.Message):
		patience = absentPatience
	}
	v := stalled(VolumeNotMounted, patience, "Pod %s cannot start: %s", p.Name, brief(e.Message, e.Reason))
	if holder, claim := o.claimUser(p, o.OnDeadNode); holder != nil && patience != absentPatience {
		v.Patience, v.Node, v.Claim = 0, holder.Spec.NodeName, claim
		v.Message += fmt.Sprintf("; claim %s is held by Pod %s on %s",
			claim, holder.Name, strings.TrimSuffix(o.describeNode(holder.Spec.NodeName), ","))
		return v
	}
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
