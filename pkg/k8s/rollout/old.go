package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// waitingFor returns a phrase for a rollout that waits for old Pods to end.
func (o Observation) waitingFor(old []*corev1.Pod) string {
	return "waiting for " + o.describeOld(old) + " to end"
}

// describeOld returns a phrase for old Pods. It names the one that is likely to take longest, with the grace period of
// a terminating Pod, and with its node if the node is not ready.
func (o Observation) describeOld(old []*corev1.Pod) string {
	slowest := o.slowest(old)
	text := "old Pod " + slowest.Name
	if n := len(old); n > 1 {
		text = fmt.Sprintf("%d old Pods, among them %s", n, slowest.Name)
	}
	switch grace := slowest.DeletionGracePeriodSeconds; {
	case o.onDeadNode(slowest):
		text += fmt.Sprintf(" on node %s, which is not ready,", slowest.Spec.NodeName)
	case slowest.DeletionTimestamp != nil && grace != nil:
		text += fmt.Sprintf(" (grace period %s)", time.Duration(*grace)*time.Second)
	}
	return text
}

// slowest returns the Pod that is likely to take longest to end.
func (o Observation) slowest(pods []*corev1.Pod) *corev1.Pod {
	return slices.MaxFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(o.slowness(a), o.slowness(b)) })
}

// slowness returns a number that is greater for a Pod that takes longer to end.
func (o Observation) slowness(p *corev1.Pod) int64 {
	const never = 1 << 32
	if o.onDeadNode(p) {
		return never
	}
	if p.DeletionGracePeriodSeconds == nil {
		return 0
	}
	return *p.DeletionGracePeriodSeconds
}

// nodeEventSkew is how much later than its event a Pod may become unready because of its node. Both come from the node
// controller, and their times have whole seconds.
const nodeEventSkew = 2 * time.Second

// onDeadNode reports whether a Pod's node stopped answering, by the node controller's event about the Pod
// (k8s.io/kubernetes/pkg/controller/util/node). A Pod whose readiness changed since then has a kubelet again. Nodes
// themselves cannot be read with a Role.
func (o Observation) onDeadNode(p *corev1.Pod) bool {
	c := condition(p, corev1.PodReady)
	e := o.lastEvent(p.UID, func(e *corev1.Event) bool { return e.Reason == "NodeNotReady" })
	if e == nil || p.Spec.NodeName == "" || c != nil && c.Status == corev1.ConditionTrue {
		return false
	}
	return c == nil || !c.LastTransitionTime.After(happened(e).Add(nodeEventSkew))
}
