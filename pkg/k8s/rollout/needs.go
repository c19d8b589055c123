package rollout

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// asksNoMore reports whether the new Pods ask of a node just what the Pods of the version before asked. The nodes had
// room for those, so the version is not at fault if there is none now.
func (o Observation) asksNoMore() bool {
	current := CurrentReplicaSet(o)
	if current == nil {
		return false
	}
	before := o.revisionBefore(current)
	return before != nil && equality.Semantic.DeepEqual(needsOf(before), needsOf(current))
}

// revisionBefore returns the ReplicaSet with the highest revision except current, or nil. A version that was restored
// has a higher one than the version that failed.
func (o Observation) revisionBefore(current *appsv1.ReplicaSet) *appsv1.ReplicaSet {
	var last *appsv1.ReplicaSet
	for _, rs := range o.ReplicaSets {
		if rs.UID != current.UID && (last == nil || revision(rs) > revision(last)) {
			last = rs
		}
	}
	return last
}

// revision returns the number that the Deployment's controller gives a ReplicaSet, or 0
// (k8s.io/kubernetes/pkg/controller/deployment/util: RevisionAnnotation).
func revision(rs *appsv1.ReplicaSet) int64 {
	n, _ := strconv.ParseInt(rs.Annotations["deployment.kubernetes.io/revision"], 10, 64)
	return n
}

// needs is what the scheduler compares with the nodes.
type needs struct {
	resources   []corev1.ResourceRequirements
	selector    map[string]string
	affinity    *corev1.Affinity
	tolerations []corev1.Toleration
	spread      []corev1.TopologySpreadConstraint
	ports       []corev1.ContainerPort
	volumes     []corev1.Volume
}

func needsOf(rs *appsv1.ReplicaSet) needs {
	pod := rs.Spec.Template.Spec
	n := needs{
		selector: pod.NodeSelector, affinity: pod.Affinity, tolerations: pod.Tolerations,
		spread: pod.TopologySpreadConstraints, volumes: pod.Volumes,
	}
	for _, c := range pod.Containers {
		n.resources, n.ports = append(n.resources, c.Resources), append(n.ports, c.Ports...)
	}
	return n
}
