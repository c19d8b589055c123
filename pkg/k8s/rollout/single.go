package rollout

import (
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// OfPod returns o as the observation of a rollout of one Pod that no controller owns, so that Judge applies its rules
// to it. made is the Pod of the app as norn sent it to the API server, and now its state, or nil if it does not exist.
func (o Observation) OfPod(app string, made, now *corev1.Pod) Observation {
	one := int32(1)
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: made.Name, Namespace: made.Namespace, UID: "deployment"}}
	d.Spec.Replicas, d.Spec.Template.Spec, d.Spec.Template.Annotations = &one, made.Spec, made.Annotations
	d.Status.Replicas, d.Status.UpdatedReplicas = one, one
	rs := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
		Name: made.Name, Namespace: made.Namespace, UID: "replicaset", OwnerReferences: ownedBy(d.UID),
	}}
	rs.Spec.Template = d.Spec.Template
	o.Deployment, o.ReplicaSets, o.Pods = d, []*appsv1.ReplicaSet{rs}, nil
	if now == nil {
		return o
	}
	p := *now
	p.Labels, p.OwnerReferences = maps.Clone(now.Labels), ownedBy(rs.UID)
	if p.Labels == nil {
		p.Labels = map[string]string{}
	}
	p.Labels["app"] = app // names the app's own container
	if isReady(&p) {
		d.Status.AvailableReplicas = one
	}
	o.Pods = []*corev1.Pod{&p}
	return o
}

func ownedBy(uid types.UID) []metav1.OwnerReference {
	controls := true
	return []metav1.OwnerReference{{UID: uid, Controller: &controls}}
}

// JudgePod returns the verdict for an observation of OfPod. Unlike a Deployment's, a Pod that has ended or was deleted
// is not replaced.
func JudgePod(o Observation) Verdict {
	if len(o.Pods) == 0 {
		v := failed(PodLost, "Pod %s was deleted", o.Deployment.Name)
		v.Want = 1
		return v
	}
	if p := o.Pods[0]; p.DeletionTimestamp != nil || ended(p) {
		v := failed(PodLost, "Pod %s was deleted", p.Name)
		if ended(p) {
			v = lostPod(p, "the node rejected or evicted the Pod, with")
		}
		v.Want, v.Pod, v.Container = 1, p.Name, firstContainer(p)
		return v
	}
	return Judge(o)
}

// lostPod returns the verdict for a Pod that its node has rejected or evicted.
func lostPod(p *corev1.Pod, what string) Verdict {
	v := failed(PodLost, "%s reason %s: %s", what, p.Status.Reason, brief(p.Status.Message, p.Status.Reason))
	v.Pod, v.Container = p.Name, firstContainer(p)
	return v
}

// RefusedPod returns the verdict for a Pod that the API server refuses with a message, in the server's words. Its
// Patience is how long the server may still change its mind.
func RefusedPod(message string) Verdict {
	v := refusedBy(message, message)
	if v.Reason == PodsRefused {
		v.Patience, v.Violations = 0, violations(message)
		if slices.Contains(v.Violations, Account) { // a new namespace gets its ServiceAccount a moment later
			v.Patience = admissionRetries
		}
	}
	v.State, v.Want = Failed, 1
	return v
}
