package rollout

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
)

// A paused Deployment replaces no Pods, so its next change does: an earlier run was killed, or forge prepared it.
func TestReplaces(t *testing.T) {
	deployment := func(image string, paused bool) *appsv1.Deployment {
		d := &appsv1.Deployment{}
		d.Spec.Paused = paused
		d.Spec.Template.Annotations = map[string]string{"image": image}
		return d
	}
	for _, c := range []struct {
		name   string
		before *appsv1.Deployment
		want   bool
	}{
		{"the same version", deployment("2", false), false},
		{"another version", deployment("1", false), true},
		{"the same template after a pause", deployment("2", true), true},
	} {
		if got := Replaces(c.before, deployment("2", false)); got != c.want {
			t.Errorf("%s: replaces %v", c.name, got)
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
