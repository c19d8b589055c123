package rollout

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// How long a problem may last that often resolves itself. A cluster that is only slow must not cost a good version.
const (
	// schedulePatience is how long no node may have room. An autoscaler looks for such Pods every 10 seconds, and
	// reports later that it adds a node.
	schedulePatience = 30 * time.Second
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
	unboundClaim = regexp.MustCompile(`(?i)unbound.*persistentvolumeclaim|` +
		missingClaim.String() + `|` + noVolumeOnNode.String())
	oncePod      = regexp.MustCompile(`ReadWriteOncePod access mode`) // plugin volumerestrictions
	insufficient = regexp.MustCompile(`Insufficient ([\w./-]*\w)`)
	untolerated  = regexp.MustCompile(`(\d+) node\(s\) had untolerated taint`)
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
	dead := o.deadNodes()
	if n := len(dead); n > 0 { // a node often comes back within minutes
		v.Patience = 0
		v.Message += "; not ready: node " + strings.Join(dead[:min(n, 3)], ", ")
	}
	tainted := 0
	for _, m := range untolerated.FindAllStringSubmatch(message, -1) { // older schedulers count each taint on its own
		n, _ := strconv.Atoi(m[1])
		tainted += n
	}
	v.Tainted = tainted > len(dead) // Kubernetes taints the nodes that are not ready
	if len(dead) > 0 && tainted > 0 && o.asksNoMore() {
		v.Node = dead[0]
	}
	if user, claim := o.claimUser(p, always); user != nil && oncePod.MatchString(message) {
		v.Claim = claim
		v.Message += fmt.Sprintf("; Pod %s uses claim %s, which is ReadWriteOncePod", user.Name, claim)
		if o.OnDeadNode(user) {
			v.Patience, v.Node = 0, user.Spec.NodeName
		}
	}
	return v
}

func always(*corev1.Pod) bool { return true }

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
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(head), ". not found"))
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
		v := refusedBy(brief(c.Message, c.Reason), c.Message)
		if v.Reason == QuotaExceeded && o.ending() {
			v.Patience = 0
		}
		return v
	}
	return Verdict{}
}

// refusedBy returns the verdict for Pods that the API server refuses. message is its text in one line.
func refusedBy(message, text string) Verdict {
	switch {
	case strings.Contains(message, "exceeded quota"):
		v := stalled(QuotaExceeded, refusedPatience, "new Pods are refused: %s", message)
		if m := exceededQuota.FindStringSubmatch(message); m != nil {
			v.Resources = names(quotaResource, m[1])
		}
		return v
	case refusal.MatchString(message):
		v := failed(PodsRefused, "new Pods are refused: %s", message)
		v.Violations = violations(text)
		return v
	}
	return stalled(PodsRefused, admissionRetries, "new Pods are refused: %s", message)
}

// lostPods finds new Pods that their node rejected or evicted during this rollout. The ReplicaSet replaces them, but
// the replacements may fail too. A Pod that ended with its node does not count: that says nothing about the version.
func lostPods(o Observation, current *appsv1.ReplicaSet) Verdict {
	if current == nil {
		return Verdict{}
	}
	lost := 0
	var last *corev1.Pod
	for _, p := range o.Pods {
		if metav1.IsControlledBy(p, current) && p.Status.Phase == corev1.PodFailed && p.DeletionTimestamp == nil &&
			!o.Before[p.UID] && !nodeLost(p) {
			lost++
			last = p
		}
	}
	if lost <= o.allowedRestarts() {
		return Verdict{}
	}
	return lostPod(last, fmt.Sprintf("the nodes rejected or evicted %s, the last one with", plural(lost, "Pod")))
}

// firstContainer returns the name of the app's own container, or else of the first one.
func firstContainer(p *corev1.Pod) string {
	if len(p.Spec.Containers) == 0 {
		return ""
	}
	return cmp.Or(appContainer(p), p.Spec.Containers[0].Name)
}
