package k8s

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// Events about the Pods of other workloads do not pass. All others do, and so do those of a workload with a long name.
func TestConcern(t *testing.T) {
	long := "a-name-of-sixty-characters-which-is-more-than-a-pod-name-has"
	passes := concern("shop", "shop-worker", long)
	for _, c := range []struct {
		kind, name string
		want       bool
	}{
		{"Pod", "shop-6d4f8b7c9-x2x4z", true},
		{"Pod", "shop-worker-6d4f8b7c9-x2x4z", true},
		{"Pod", long[:58] + "x2x4z", true},
		{"Pod", "other-6d4f8b7c9-x2x4z", false},
		{"PersistentVolumeClaim", "data", true},
		{"ReplicaSet", "shop-6d4f8b7c9", true},
	} {
		e := &corev1.Event{InvolvedObject: corev1.ObjectReference{Kind: c.kind, Name: c.name}}
		if got := passes(e); got != c.want {
			t.Errorf("%s %s: %t", c.kind, c.name, got)
		}
	}
}
