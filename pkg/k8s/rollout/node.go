package rollout

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// NodeState is the state of a node.
type NodeState struct {
	Ready bool
	Gone  bool // the cluster has no such node
}

// OnDeadNode reports whether a Pod's node does not answer. Users with a Role cannot read nodes. Then the Pod's
// conditions tell: the node controller sets Ready to false and leaves ContainersReady as it is. A kubelet does that
// only for readiness gates (k8s.io/kubernetes/pkg/controller/util/node, pkg/kubelet/status).
func (o Observation) OnDeadNode(p *corev1.Pod) bool {
	if p.Spec.NodeName == "" {
		return false
	}
	if n, known := o.Nodes[p.Spec.NodeName]; known {
		return !n.Ready
	}
	ready, containers := condition(p, corev1.PodReady), condition(p, corev1.ContainersReady)
	return ready != nil && containers != nil && ready.Status == corev1.ConditionFalse &&
		containers.Status == corev1.ConditionTrue && ready.Reason != "ReadinessGatesNotReady"
}

// onLiveNodes returns the Pods whose node answers, or that have no node. The state of the others is out of date.
func (o Observation) onLiveNodes(pods []*corev1.Pod) []*corev1.Pod {
	return slices.DeleteFunc(slices.Clone(pods), o.OnDeadNode)
}

// unaccepted reports whether no kubelet has seen a Pod that has a node. A kubelet sets the start time at once.
func unaccepted(p *corev1.Pod) bool {
	return p.Spec.NodeName != "" && p.Status.StartTime == nil && !ended(p)
}

// describeNode returns a node's name and what is wrong with it.
func (o Observation) describeNode(name string) string {
	if o.Nodes[name].Gone {
		return fmt.Sprintf("node %s, which no longer exists,", name)
	}
	return fmt.Sprintf("node %s, which is not ready,", name)
}

// blameNode completes the verdict of a rollout whose new Pods mine are not all available and show no failure. If only
// Pods on dead nodes are missing, the node is at fault and not the version: the cluster replaces these Pods.
func (o Observation) blameNode(v Verdict, mine []*corev1.Pod) Verdict {
	var missing, dead []*corev1.Pod
	for _, p := range mine {
		if isReady(p) || ended(p) {
			continue
		}
		missing = append(missing, p)
		if o.OnDeadNode(p) {
			dead = append(dead, p)
		}
	}
	switch len(dead) {
	case 0:
	case 1:
		v.Message += fmt.Sprintf("; Pod %s is on %s and %s",
			dead[0].Name, o.describeNode(dead[0].Spec.NodeName), replacement(dead[0]))
	default:
		v.Message += fmt.Sprintf("; %d Pods are on nodes that are not ready, such as %s on %s, and %s",
			len(dead), dead[0].Name, dead[0].Spec.NodeName, replacement(dead[0]))
	}
	held := slices.DeleteFunc(slices.Clone(missing), func(p *corev1.Pod) bool { return o.OnDeadNode(p) || unaccepted(p) })
	if len(missing) > 0 && len(held) == 0 {
		p := missing[0]
		v.Pod, v.Container, v.Node = p.Name, firstContainer(p), p.Spec.NodeName
		v.Unaccepted = len(dead) == 0
	}
	return v
}

// replacement returns a phrase for when the cluster replaces a Pod on a dead node (kubernetes.io: Taint based
// evictions).
func replacement(p *corev1.Pod) string {
	for _, t := range p.Spec.Tolerations {
		if t.Key == corev1.TaintNodeUnreachable && t.Effect != corev1.TaintEffectNoSchedule && t.TolerationSeconds != nil {
			return fmt.Sprintf("will be replaced after %s", time.Duration(*t.TolerationSeconds)*time.Second)
		}
	}
	return "will be replaced"
}

// nodeLost reports whether a Pod ended because its node shut down or was lost. Pods that a node has evicted because it
// ran out of memory or disk do not count (kubernetes.io: Pod disruption conditions, Graceful node shutdown).
func nodeLost(p *corev1.Pod) bool {
	switch p.Status.Reason {
	case "NodeLost", "NodeShutdown", "Terminated":
		return true
	}
	c := condition(p, corev1.DisruptionTarget)
	return c != nil && c.Status == corev1.ConditionTrue &&
		(c.Reason == "DeletionByTaintManager" || c.Reason == "DeletionByPodGC")
}

// rebooted reports whether a container's last run ended with its node: after a reboot, the container runtime does not
// know how (github.com/containerd/containerd/internal/cri, k8s.io/kubernetes/pkg/kubelet).
func rebooted(s corev1.ContainerStatus) bool {
	t := lastEnd(s)
	return t != nil && (t.Reason == "ContainerStatusUnknown" || t.Reason == "Unknown")
}

// TerminatingSince returns when a Pod began to end, by the cluster's clock, or the zero time if it does not end.
func TerminatingSince(p *corev1.Pod) time.Time {
	if p.DeletionTimestamp == nil { // the time at which the grace period is over
		return time.Time{}
	}
	at := p.DeletionTimestamp.UTC()
	if grace := p.DeletionGracePeriodSeconds; grace != nil {
		at = at.Add(-time.Duration(*grace) * time.Second)
	}
	return at
}

// claimUser returns another Pod that mounts one of p's claims for one node or one Pod and satisfies is, and the claim.
func (o Observation) claimUser(p *corev1.Pod, is func(*corev1.Pod) bool) (user *corev1.Pod, claim string) {
	for _, name := range o.exclusiveClaims(p) {
		for _, other := range o.Pods {
			if other.Name != p.Name && !ended(other) && slices.Contains(claimNames(other), name) && is(other) {
				return other, name
			}
		}
	}
	return nil, ""
}

// exclusiveClaims returns a Pod's claims whose volume only one node, or one Pod, can use at a time. A claim that cannot
// be read is taken for one, because that is norn's default.
func (o Observation) exclusiveClaims(p *corev1.Pod) []string {
	return slices.DeleteFunc(claimNames(p), func(name string) bool {
		c := o.claim(name)
		return c != nil && !exclusive(c)
	})
}

func exclusive(c *corev1.PersistentVolumeClaim) bool {
	return !slices.ContainsFunc(c.Spec.AccessModes, func(m corev1.PersistentVolumeAccessMode) bool {
		return m == corev1.ReadWriteMany || m == corev1.ReadOnlyMany
	})
}

// DeadNodesOf returns the nodes of these Pods that do not answer, sorted.
func (o Observation) DeadNodesOf(pods []*corev1.Pod) []string {
	var names []string
	for _, p := range pods {
		if o.OnDeadNode(p) {
			names = append(names, p.Spec.NodeName)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// deadNodes returns the nodes that are not ready, sorted, as far as they are known.
func (o Observation) deadNodes() []string {
	var names []string
	for name, n := range o.Nodes {
		if !n.Ready {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
