package k8s

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// State is how far a rollout is.
type State int

// The states of a rollout.
const (
	Progressing State = iota
	Complete          // every new pod is available and every old one gone
	Failed            // it will not complete by waiting
)

// Reason names a failure with a stable word.
type Reason string

// The reasons a rollout fails for.
const (
	ImagePull     Reason = "ImagePull"     // the node cannot get the image
	BadConfig     Reason = "BadConfig"     // a Secret, key or setting that the container needs is missing
	CannotStart   Reason = "CannotStart"   // the container's command cannot be started
	CrashLoop     Reason = "CrashLoop"     // the container ends again and again
	PodsRefused   Reason = "PodsRefused"   // the API server refuses new pods (quota, admission)
	TimedOut      Reason = "TimedOut"      // norn's --timeout passed
	NoDeployment  Reason = "NoDeployment"  // the Deployment was deleted meanwhile
	stillStarting Reason = "StillStarting" // not a failure; the verdict before the first look
)

// Verdict is what an Observation means for the rollout.
type Verdict struct {
	State     State
	Reason    Reason // set when Failed
	Message   string // one line for people, in every state
	Pod       string // the pod that shows the failure, or that is waited for
	Container string
	// Ready and Want count the new revision's available pods.
	Ready, Want int
}

// allowedRestarts is how often a new container may end before that is a crash loop.
const allowedRestarts = 1

// Judge says what an observation means. It is a pure function: the same look has the same
// verdict. The rules are kubectl rollout status's, and then the kubelet's own words for pods that cannot come up.
func Judge(o Observation) Verdict {
	d := o.Deployment
	if d == nil {
		return Verdict{State: Failed, Reason: NoDeployment, Message: "the Deployment is gone"}
	}
	want := int(desired(d))
	v := Verdict{Want: want}
	if max(d.Generation, o.Generation) > d.Status.ObservedGeneration {
		v.Reason, v.Message = stillStarting, "waiting for the Deployment's controller"
		return v
	}
	current := CurrentReplicaSet(o)
	mine, old := splitPods(o, current)
	v.Ready = countReady(mine)
	if f, failed := podFailure(mine); failed {
		f.Ready, f.Want = v.Ready, want
		return f
	}
	if f, failed := refusedPods(current); failed {
		f.Ready, f.Want = v.Ready, want
		return f
	}
	v.Pod, v.Container = firstUnready(mine)
	s := d.Status
	switch {
	case current == nil || int(s.UpdatedReplicas) < want:
		v.Message = fmt.Sprintf("%d of %d new pods made", s.UpdatedReplicas, want)
	case int(s.AvailableReplicas) < want || v.Ready < want:
		v.Message = fmt.Sprintf("%d of %d new pods available%s", v.Ready, want, waitingFor(mine))
	case s.Replicas > s.UpdatedReplicas || len(old) > 0:
		v.Message = fmt.Sprintf("waiting for %s to end", plural(len(old), "old pod"))
	default:
		v.State, v.Message = Complete, fmt.Sprintf("%d of %d pods available", v.Ready, want)
	}
	return v
}

// CurrentReplicaSet is the one whose pods the Deployment wants now, or nil before its controller made it. It is known by its template,
// as the controller does (k8s.io/kubectl/pkg/util/deployment): the revision annotation still names the old one for
// as long as a Recreate waits for the old pods.
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

func splitPods(o Observation, current *appsv1.ReplicaSet) (mine, old []*corev1.Pod) {
	sets := map[string]bool{}
	for _, rs := range o.ReplicaSets {
		sets[string(rs.UID)] = metav1.IsControlledBy(rs, o.Deployment)
	}
	for _, p := range o.Pods {
		owner := metav1.GetControllerOf(p)
		switch {
		case owner == nil || !sets[string(owner.UID)]: // a Job's, or somebody's by hand
		case current != nil && owner.UID == current.UID && p.DeletionTimestamp == nil:
			mine = append(mine, p)
		case !ended(p):
			old = append(old, p)
		}
	}
	slices.SortFunc(mine, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return mine, old
}

func ended(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

func countReady(pods []*corev1.Pod) int {
	n := 0
	for _, p := range pods {
		if c := condition(p, corev1.PodReady); c != nil && c.Status == corev1.ConditionTrue {
			n++
		}
	}
	return n
}

func condition(p *corev1.Pod, t corev1.PodConditionType) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == t {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

// podFailure finds the first container that cannot come up by waiting.
func podFailure(pods []*corev1.Pod) (Verdict, bool) {
	for _, p := range pods {
		for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
			reason, message := containerFailure(s)
			if reason != "" {
				return Verdict{State: Failed, Reason: reason, Message: message, Pod: p.Name, Container: s.Name}, true
			}
		}
	}
	return Verdict{}, false
}

// containerFailure translates the kubelet's waiting reasons (k8s.io/kubernetes/pkg/kubelet/images and kuberuntime).
func containerFailure(s corev1.ContainerStatus) (Reason, string) {
	if w := s.State.Waiting; w != nil {
		switch w.Reason {
		case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable":
			return ImagePull, fmt.Sprintf("the node cannot get image %s: %s", s.Image, brief(w.Message, w.Reason))
		case "CreateContainerConfigError":
			return BadConfig, brief(w.Message, w.Reason)
		case "CreateContainerError", "RunContainerError":
			return CannotStart, brief(w.Message, w.Reason)
		case "CrashLoopBackOff":
			return CrashLoop, ending(s)
		}
	}
	if s.RestartCount > allowedRestarts && !s.Ready {
		return CrashLoop, ending(s)
	}
	return "", ""
}

// ending says how the container's last run ended.
func ending(s corev1.ContainerStatus) string {
	t := s.LastTerminationState.Terminated
	if s.State.Terminated != nil {
		t = s.State.Terminated
	}
	switch {
	case t == nil:
		return fmt.Sprintf("container %s ends again and again (%s)", s.Name, plural(int(s.RestartCount), "restart"))
	case t.Reason == "OOMKilled":
		return fmt.Sprintf("container %s was killed: out of memory (%s)", s.Name, plural(int(s.RestartCount), "restart"))
	case t.Reason == "StartError" || t.Reason == "ContainerCannotRun":
		return fmt.Sprintf("container %s cannot be started: %s", s.Name, brief(t.Message, t.Reason))
	default:
		return fmt.Sprintf("container %s ended with exit code %d (%s)", s.Name, t.ExitCode, plural(int(s.RestartCount), "restart"))
	}
}

// refusedPods reads the new ReplicaSet's own condition: the Deployment's is copied from old ones too, and stays for a while.
func refusedPods(current *appsv1.ReplicaSet) (Verdict, bool) {
	if current == nil {
		return Verdict{}, false
	}
	for _, c := range current.Status.Conditions {
		if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue {
			return Verdict{State: Failed, Reason: PodsRefused, Message: brief(c.Message, c.Reason)}, true
		}
	}
	return Verdict{}, false
}

// firstUnready is the pod that a rollout waits for, and its container, if there is one.
func firstUnready(pods []*corev1.Pod) (pod, container string) {
	for _, p := range pods {
		if c := condition(p, corev1.PodReady); c != nil && c.Status == corev1.ConditionTrue {
			continue
		}
		if len(p.Spec.Containers) > 0 {
			container = p.Spec.Containers[0].Name
		}
		return p.Name, container
	}
	return "", ""
}

// waitingFor adds what the first pod that isn't ready says of itself.
func waitingFor(pods []*corev1.Pod) string {
	for _, p := range pods {
		if c := condition(p, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse && c.Message != "" {
			return ": " + brief(c.Message, c.Reason)
		}
	}
	return ""
}

func desired(d *appsv1.Deployment) int32 {
	if d.Spec.Replicas == nil {
		return 1
	}
	return *d.Spec.Replicas
}

// brief makes one line of a message from the cluster, or takes its reason where there is none.
func brief(message, reason string) string {
	line := strings.Join(strings.Fields(message), " ")
	if line == "" {
		return reason
	}
	return line
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
