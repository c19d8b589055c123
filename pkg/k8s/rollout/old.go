package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// waitingFor returns a phrase for a rollout that waits for old Pods to end, and for the claims that a dead node holds.
func (o Observation) waitingFor(old []*corev1.Pod) string {
	text := "waiting for " + o.describeOld(old) + " to end"
	p := o.slowest(old)
	if claims := o.exclusiveClaims(p); o.OnDeadNode(p) && len(claims) > 0 {
		text += fmt.Sprintf("; the node holds claim %s", strings.Join(claims, ", "))
	}
	return text
}

// describeOld returns a phrase for old Pods. It names the one that is likely to take longest, with its node, and the
// grace period of a terminating Pod.
func (o Observation) describeOld(old []*corev1.Pod) string {
	slowest := o.slowest(old)
	text := "old Pod " + slowest.Name
	if n := len(old); n > 1 {
		text = fmt.Sprintf("%d old Pods, among them %s", n, slowest.Name)
	}
	if o.OnDeadNode(slowest) {
		return text + " on " + o.describeNode(slowest.Spec.NodeName)
	}
	if slowest.DeletionTimestamp == nil {
		return text
	}
	if slowest.Spec.NodeName != "" {
		text += " on node " + slowest.Spec.NodeName
	}
	if grace := slowest.DeletionGracePeriodSeconds; grace != nil {
		text += fmt.Sprintf(" (grace period %s)", time.Duration(*grace)*time.Second)
	}
	return text
}

// overdue returns the Pods that cannot end, or take longer than their grace period.
func (o Observation) overdue(pods []*corev1.Pod) []*corev1.Pod {
	return slices.DeleteFunc(slices.Clone(pods), func(p *corev1.Pod) bool {
		late := p.DeletionTimestamp != nil && !o.At.IsZero() && o.At.After(p.DeletionTimestamp.Add(graceSlack))
		return !o.OnDeadNode(p) && !late
	})
}

// graceSlack is how long a Pod may be there after its grace period.
const graceSlack = 5 * time.Second

// shownPods is how many Pods describeStuck names.
const shownPods = 3

// describeStuck returns a phrase for Pods that have not ended although norn does not wait for them, with node and age.
func (o Observation) describeStuck(pods []*corev1.Pod) string {
	text := "1 old Pod is still terminating: "
	if n := len(pods); n > 1 {
		text = fmt.Sprintf("%d old Pods are still terminating: ", n)
	}
	var each []string
	for _, p := range pods[:min(len(pods), shownPods)] {
		one := p.Name + " on node " + p.Spec.NodeName
		if o.OnDeadNode(p) {
			one += " (not ready)"
		}
		if since := TerminatingSince(p); o.At.After(since) {
			one += fmt.Sprintf(" for %s", o.At.Sub(since).Round(time.Second))
		}
		each = append(each, one)
	}
	return text + strings.Join(each, ", ")
}

// slowest returns the Pod that is likely to take longest to end.
func (o Observation) slowest(pods []*corev1.Pod) *corev1.Pod {
	return slices.MaxFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(o.slowness(a), o.slowness(b)) })
}

// slowness returns a number that is greater for a Pod that takes longer to end.
func (o Observation) slowness(p *corev1.Pod) int64 {
	const never = 1 << 32
	if o.OnDeadNode(p) {
		return never
	}
	if p.DeletionGracePeriodSeconds == nil {
		return 0
	}
	return *p.DeletionGracePeriodSeconds
}
