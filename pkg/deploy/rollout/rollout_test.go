package rollout

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/k8s/metadata"
)

// A deploy that changes no Pod template takes no verified version back. A template that a paused Deployment got before
// is a change: an earlier run was killed, or forge prepared it.
func TestRanAlready(t *testing.T) {
	deployment := func(image string, paused bool) *appsv1.Deployment {
		d := &appsv1.Deployment{}
		d.Spec.Paused = paused
		d.Spec.Template.Annotations = map[string]string{"image": image}
		return d
	}
	unverified, verified := &appsv1.ReplicaSet{}, &appsv1.ReplicaSet{}
	verified.Annotations = map[string]string{metadata.VerifiedAnnotation: "2026-01-02T03:04:05Z"}
	for _, c := range []struct {
		name              string
		before            *appsv1.Deployment
		current           *appsv1.ReplicaSet
		replaced, already bool
	}{
		{"the same version", deployment("2", false), verified, false, true},
		{"another version", deployment("1", false), verified, true, false},
		{"the same template after a pause", deployment("2", true), verified, true, false},
		{"an interrupted rollout", deployment("2", false), unverified, false, false},
		{"no ReplicaSet yet", deployment("2", false), nil, false, false},
	} {
		after := deployment("2", false)
		if got := Replaces(c.before, after); got != c.replaced {
			t.Errorf("%s: replaces %v", c.name, got)
		}
		if got := ranAlready(c.before, after, c.current); got != c.already {
			t.Errorf("%s: ran already %v", c.name, got)
		}
	}
}

// A failure without its own hint names the norn command to run.
func TestHintOfError(t *testing.T) {
	for _, c := range []struct {
		name string
		f    Failure
		want string
	}{
		{"its own", Failure{App: "shop", Hint: "check the image"}, "check the image"},
		{"restored", Failure{App: "shop", Restored: "as revision 3"},
			"see the Pods with norn status shop, and their logs with norn logs shop"},
		{"not restored", Failure{App: "shop", Kept: "--no-rollback"},
			"see the Pods with norn status shop, or go back with norn rollback shop"},
	} {
		if got := (&Error{c.f}).Hint(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
