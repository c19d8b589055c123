package rollout

import (
	"fmt"
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
)

// Failed revisions and restarts do not displace good ones, and nothing that runs is deleted.
func TestSurplus(t *testing.T) {
	revision := func(number int64, failed k8srollout.Reason, replicas int32) k8s.Revision {
		set := &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Replicas: &replicas}}
		set.Spec.Template.Spec.Containers = []corev1.Container{{Image: fmt.Sprint(number)}}
		good := failed == ""
		return k8s.Revision{
			Number: number, Failed: failed, Verified: good, Proven: good, Current: number == 9, Set: set,
		}
	}
	good := func(n int64) k8s.Revision { return revision(n, "", 0) }
	bad := func(n int64) k8s.Revision { return revision(n, k8srollout.CrashLoop, 0) }
	unseen := func(n int64) k8s.Revision {
		r := revision(n, "", 0)
		r.Verified, r.Proven = false, false
		return r
	}
	restarted := func(n int64, of k8s.Revision) k8s.Revision {
		r := revision(n, "", 0)
		r.Set.Spec.Template = *of.Set.Spec.Template.DeepCopy()
		r.Set.Spec.Template.Annotations = map[string]string{metadata.RestartAnnotation: fmt.Sprint(n)}
		return r
	}
	for _, c := range []struct {
		name      string
		revisions []k8s.Revision
		retain    int
		want      []int64
	}{
		{"none", nil, 1, nil},
		{"failures after a good one", []k8s.Revision{good(9), bad(8), bad(7), good(6)}, 1, []int64{7}},
		{"restarts", []k8s.Revision{
			restarted(9, good(5)), restarted(8, good(5)), restarted(7, good(5)), good(5), good(4),
		}, 1, []int64{7, 5}},
		{"good ones", []k8s.Revision{good(9), good(8), good(7), good(6)}, 2, []int64{6}},
		{"one with Pods", []k8s.Revision{good(9), good(8), revision(7, "", 1)}, 1, nil},
		{"unseen ones after a good one", []k8s.Revision{good(9), unseen(8), unseen(7), good(6), unseen(5)}, 1, []int64{7, 5}},
		{"many failures", []k8s.Revision{good(9), bad(8), bad(7), bad(6), bad(5), bad(4), bad(3), good(2)}, 10, []int64{3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []int64
			for _, r := range surplus(c.revisions, c.retain) {
				got = append(got, r.Number)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
