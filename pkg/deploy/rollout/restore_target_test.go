package rollout

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s"
	k8srollout "norn/pkg/k8s/rollout"
)

// history returns revisions, newest first, from one letter each: v is verified, f failed, p failed after it was
// verified, and u has no mark. An upper-case letter means that its Pods are available. The newest revision is current.
// Revision N was rolled out in minute N, and runs image N.
func history(letters string) []k8s.Revision {
	var revisions []k8s.Revision
	for i, letter := range letters {
		number := len(letters) - i
		set := &appsv1.ReplicaSet{}
		set.UID = types.UID(fmt.Sprint(number))
		set.Spec.Template.Spec.Containers = []corev1.Container{{Name: "shop", Image: fmt.Sprint(number)}}
		v := k8s.Revision{
			Number: int64(number), Set: set, Current: i == 0,
			Since: time.Date(2026, 1, 2, 3, number, 0, 0, time.UTC),
		}
		if letter < 'a' {
			set.Status.AvailableReplicas, letter = 1, letter+'a'-'A'
		}
		v.Verified, v.Proven = letter == 'v', letter == 'v' || letter == 'p'
		if letter == 'f' || letter == 'p' {
			v.Failed = k8srollout.CrashLoop
		}
		revisions = append(revisions, v)
	}
	return revisions
}

// After a failed change, norn restores the current revision if it ran, else the last verified one.
func TestRevisionToRestore(t *testing.T) {
	for _, c := range []struct {
		history string
		want    int64 // 0 means none
	}{
		{"Vv", 2},
		{"vv", 2},  // its Pods fail now, and norn has not watched it
		{"Uv", 2},  // somebody else rolled it out
		{"uv", 1},  // it has not come up
		{"Fv", 1},  // available for a moment
		{"Pv", 2},  // it has recovered
		{"pv", 1},  // it has not
		{"fpv", 1}, // verified precedes what failed later
		{"fpf", 2},
		{"fvV", 1}, // its Pods still run
		{"fuf", 0},
	} {
		if got, found := RevisionToRestore(history(c.history)); got.Number != c.want || found != (c.want > 0) {
			t.Errorf("%s: revision %d, want %d", c.history, got.Number, c.want)
		}
	}
}

// A higher number can be older: Kubernetes numbers an old ReplicaSet again if a paused Deployment briefly has its
// template.
func TestRevisionToRestoreByTime(t *testing.T) {
	revisions := history("uvvv")
	revisions[1].Since = time.Date(2026, 1, 2, 3, 1, 30, 0, time.UTC)
	if got, _ := RevisionToRestore(revisions); got.Number != 2 {
		t.Errorf("revision %d, want 2", got.Number)
	}
}

// A restore prefers the revision that ran before the change. It does not replace a version that has run before.
func TestRestoreTarget(t *testing.T) {
	for _, c := range []struct {
		name, history, ranBefore string
		unchanged                bool
		same                     []int // revisions of the current one's version
		want                     int64 // 0 means none
	}{
		{"the version before", "fvv", "2", false, nil, 2},
		{"the older one that somebody went back to", "fvv", "1", false, nil, 1},
		{"somebody else's", "fUv", "2", false, nil, 2},
		{"nothing ran", "fvv", "", false, nil, 2},
		{"it is gone", "fvv", "9", false, nil, 2},
		{"failed later, and nothing else", "fpf", "", false, nil, 2},
		{"none", "fff", "", false, nil, 0},
		{"nothing has changed", "pv", "2", true, nil, 0},
		{"nothing has changed, never seen running", "fv", "2", true, nil, 1},
		{"a restart whose old Pods may still run", "fVv", "2", true, []int{2}, 2},
		{"a killed deploy of other secrets, whose Pods were available", "fv", "2", true, []int{1}, 1},
		{"a restart that somebody else made of what ran", "fvv", "3", true, []int{1}, 1},
		{"other secrets, after the current version ran too", "pv", "2", true, []int{1}, 0},
		{"a restart of what failed before", "fpv", "1", true, []int{2}, 0},
	} {
		revisions := history(c.history)
		for _, number := range c.same {
			revisions[len(revisions)-number].Set.Spec.Template = *revisions[0].Set.Spec.Template.DeepCopy()
		}
		d := &appsv1.Deployment{}
		d.Spec.Template = *revisions[0].Set.Spec.Template.DeepCopy()
		r := &runner{Target: Target{App: "shop", RanBefore: types.UID(c.ranBefore)}, applied: d}
		if got, err := r.restoreTarget(revisions, c.unchanged); got.Number != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%s: revision %d, %v, want %d", c.name, got.Number, err, c.want)
		}
	}
}
