// Package rollout judges rollouts: Judge returns the verdict for an observation of a Deployment and its pods. The
// package is pure: it makes no calls and cannot import the client. Package k8s makes the observations.
package rollout

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// State is the progress of a rollout.
type State int

// The states of a rollout.
const (
	Progressing State = iota
	Complete          // every new pod is available and every old one is gone or terminating
	Stalled           // it looks failed but may recover; see Verdict.Patience
	Failed            // waiting will not complete it
)

// Verdict is the meaning of an Observation for the rollout. Message is for people only. Programs use the other fields.
type Verdict struct {
	State     State
	Reason    Reason // set if Failed or Stalled
	Message   string // one line, in every state
	Pod       string // the pod that shows the failure, or that the rollout waits for
	Container string
	Foreign   bool   // the container is not the app's own, such as an injected sidecar; the message says so
	remark    string // about a foreign container; see attributed

	Port      int      // ProbeFailing, LivenessKilled: the port that refused the probe's connection; 0 if none did
	Shared    bool     // ProbeFailing: other containers of the Pod may listen on other ports of it
	Resources []string // Unschedulable, QuotaExceeded: the exhausted resources, sorted, such as "cpu" and "memory"
	Tainted   bool     // Unschedulable: nodes have taints that the pod does not tolerate
	Claim     string   // VolumeNotBound, VolumeNotMounted: the PersistentVolumeClaim of the volume, if it is one
	HostPath  string   // VolumeNotMounted: the node's path of the volume, if it is one
	// Violations is what the refused Pods must set differently: PodsRefused; see violations.
	Violations []string

	// OldPod is the old pod that a Progressing rollout waits for, if its new pods cannot start before.
	OldPod  string
	Overdue bool // OldPod has not ended within its grace period
	// Node, if not "", is the node that alone keeps the rollout from completing, so the version is not at fault: the node
	// is not ready, or Unaccepted.
	Node       string
	Unaccepted bool // the kubelet of Node has not accepted Pod
	// StartupLimit is how long a container had to start before a probe killed it; 0 if none did.
	StartupLimit time.Duration

	// Patience is how long a rollout may be Stalled before it counts as failed; 0 means as long as the whole rollout may
	// take. The caller measures it, because the cluster's clock may differ.
	Patience time.Duration
	// Ready is the number of the new revision's pods that are available, and Want the number that should be.
	Ready, Want int
	// Up reports whether every new pod is available. A rollout that is Progressing although it is Up waits only for old
	// pods.
	Up bool
}

// DefaultAllowedRestarts is how often a new container may end before that counts as a crash loop, if the caller sets
// no other number.
const DefaultAllowedRestarts = 1

// Judge returns the verdict for an observation. It is a pure function. The rules for progress are the rules of kubectl
// rollout status. Judge recognizes Pods that cannot start by the reasons and messages of kubelet, scheduler and
// controllers.
func Judge(o Observation) Verdict {
	d := o.Deployment
	if d == nil {
		return Verdict{State: Failed, Reason: NoDeployment, Message: "the Deployment no longer exists"}
	}
	want := int(desired(d))
	if o.Canary > 0 {
		want = o.Canary
	}
	v := Verdict{Want: want}
	if max(d.Generation, o.Generation) > d.Status.ObservedGeneration {
		v.Reason, v.Message = stillStarting, "waiting for the Deployment's controller"
		return v
	}
	current := CurrentReplicaSet(o)
	mine, old := splitPods(o, current)
	v.Ready = countReady(mine)
	s := d.Status
	created := current != nil && int(s.UpdatedReplicas) >= want
	v.Up = created && (o.Canary > 0 || int(s.AvailableReplicas) >= want) && v.Ready >= want
	switch {
	case v.Up && o.Canary > 0: // they never become available, which holds the rollout
		v.State = Complete
		v.Message = fmt.Sprintf("%s ready beside %s", plural(v.Ready, "new Pod"), plural(len(notEnding(old)), "old one"))
		return v
	case v.Up:
		return o.upVerdict(v, old)
	}
	if f, found := failure(o, o.onLiveNodes(mine), current); found {
		f.Ready, f.Want = v.Ready, want
		return f
	}
	if !created {
		v.Message = fmt.Sprintf("%d of %d new Pods created", s.UpdatedReplicas, want)
		if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType && len(old) > 0 {
			v.Message += "; " + o.waitingFor(old)
			slowest := o.slowest(old)
			v.OldPod, v.Overdue = slowest.Name, len(o.overdue([]*corev1.Pod{slowest})) > 0
			if o.OnDeadNode(slowest) {
				v.Node = slowest.Spec.NodeName
			}
			return v
		}
		return o.blameNode(v, mine)
	}
	v.Message = fmt.Sprintf("%d of %d new Pods available", v.Ready, want)
	if p := firstUnready(mine); p != nil {
		v.Pod, v.Container = p.Name, unreadyContainer(p)
		if whose := remark(o, p, v.Container); whose != "" {
			v.Foreign = true
			v.Message += fmt.Sprintf("; container %s%s is not ready", v.Container, whose)
		}
	}
	return o.blameNode(v, mine)
}

// upVerdict completes v for a rollout whose new Pods are all available. It waits until the controller has told the old
// Pods to end, but not until they have ended: a Pod on a dead node never does. kubectl rollout status does the same.
func (o Observation) upVerdict(v Verdict, old []*corev1.Pod) Verdict {
	switch s := o.Deployment.Status; {
	case len(notEnding(old)) > 0:
		v.Message = o.waitingFor(notEnding(old))
	case s.Replicas > s.UpdatedReplicas:
		v.Message = "waiting for the Deployment's controller"
	default:
		v.State, v.Message = Complete, fmt.Sprintf("%d of %d Pods available", v.Ready, v.Want)
		if v.Want == 0 {
			v.Message = "scaled to 0, so no Pod ran"
		}
		if stuck := o.overdue(old); len(stuck) > 0 {
			v.Message += "; " + o.describeStuck(stuck)
		}
	}
	return v
}

// notEnding returns the Pods that are not terminating.
func notEnding(pods []*corev1.Pod) []*corev1.Pod {
	return slices.DeleteFunc(slices.Clone(pods), func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil })
}

// failure returns why the new Pods do not start: the first failure, or else the first stall.
func failure(o Observation, mine []*corev1.Pod, current *appsv1.ReplicaSet) (Verdict, bool) {
	var stalled Verdict
	for _, f := range []Verdict{
		containersFailure(o, mine), refusedPods(o, current), lostPods(o, current),
		pendingFailure(o, mine), probeFailure(o, mine),
	} {
		switch f.State {
		case Failed:
			return f, true
		case Stalled:
			if stalled.State != Stalled {
				stalled = f
			}
		case Progressing, Complete:
		}
	}
	return stalled, stalled.State == Stalled
}

// CurrentReplicaSet returns the ReplicaSet of the Deployment's current template, or nil if its controller has not
// created it yet. It compares templates, as the controller does (k8s.io/kubectl/pkg/util/deployment): while a Recreate
// waits for the old pods, the revision annotation still names the old ReplicaSet.
func CurrentReplicaSet(o Observation) *appsv1.ReplicaSet {
	if o.Deployment == nil {
		return nil
	}
	var current *appsv1.ReplicaSet
	for _, rs := range o.ReplicaSets {
		if metav1.IsControlledBy(rs, o.Deployment) && sameTemplate(rs.Spec.Template, o.Deployment.Spec.Template) &&
			(current == nil || rs.CreationTimestamp.Before(&current.CreationTimestamp)) {
			current = rs
		}
	}
	return current
}

func sameTemplate(a, b corev1.PodTemplateSpec) bool {
	for _, t := range []*corev1.PodTemplateSpec{&a, &b} {
		t.Labels = maps.Clone(t.Labels)
		delete(t.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	}
	return equality.Semantic.DeepEqual(a, b)
}

// Pods returns the pods of the Deployment's current version, and the pods of earlier versions that have not ended. Both
// are sorted by name.
func Pods(o Observation) (mine, old []*corev1.Pod) {
	if o.Deployment == nil {
		return nil, nil
	}
	return splitPods(o, CurrentReplicaSet(o))
}

func splitPods(o Observation, current *appsv1.ReplicaSet) (mine, old []*corev1.Pod) {
	sets := map[string]bool{}
	for _, rs := range o.ReplicaSets {
		sets[string(rs.UID)] = metav1.IsControlledBy(rs, o.Deployment)
	}
	for _, p := range o.Pods {
		owner := metav1.GetControllerOf(p)
		switch {
		case owner == nil || !sets[string(owner.UID)]: // a Job's pod, or one created by hand
		case current != nil && owner.UID == current.UID && p.DeletionTimestamp == nil:
			mine = append(mine, p)
		case !ended(p):
			old = append(old, p)
		}
	}
	byName := func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortFunc(mine, byName)
	slices.SortFunc(old, byName)
	return mine, old
}

func ended(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

func countReady(pods []*corev1.Pod) int {
	n := 0
	for _, p := range pods {
		if isReady(p) {
			n++
		}
	}
	return n
}

func isReady(p *corev1.Pod) bool {
	c := condition(p, corev1.PodReady)
	return c != nil && c.Status == corev1.ConditionTrue
}

func condition(p *corev1.Pod, t corev1.PodConditionType) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == t {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

// firstUnready returns the first pod that is not ready, or nil.
func firstUnready(pods []*corev1.Pod) *corev1.Pod {
	for _, p := range pods {
		if !isReady(p) && !ended(p) {
			return p
		}
	}
	return nil
}

func desired(d *appsv1.Deployment) int32 {
	if d.Spec.Replicas == nil {
		return 1
	}
	return *d.Spec.Replicas
}

// brief returns a message from the cluster as one line, or the reason if the message is empty.
func brief(message, reason string) string {
	line := strings.Join(strings.Fields(message), " ")
	if line == "" {
		return reason
	}
	return line
}

// plural returns a count with its noun.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
