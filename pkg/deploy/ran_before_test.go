package deploy

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// A rollback from a version without available Pods restores nothing if it fails, but another rollback returns to that
// version.
func TestRanBeforeRollback(t *testing.T) {
	down := current(part(2, "b", 2))
	down.Set.UID = "down"
	history := releasesOf(infraspec.MainProcess, []k8s.Revision{down, part(1, "a", 1)})
	if restore, after := (standing{}).ranBefore(history); restore != "" || after != "down" {
		t.Errorf("restore %q, after %q", restore, after)
	}
	down.Set.Status.AvailableReplicas = 1
	if restore, after := (standing{}).ranBefore(history); restore != "down" || after != "down" {
		t.Errorf("restore %q, after %q", restore, after)
	}
}

// The marks of norn decide what ran before, and not the numbers, which the Deployment's controller may renew. A restart
// has no mark.
func TestRanBeforeCurrent(t *testing.T) {
	restarted, deployed := current(part(5, "second", 5)), part(4, "second", 4)
	renewed, ran := part(3, "first", 1), part(2, "other", 2)
	for r, uid := range map[*k8s.Revision]string{&restarted: "r", &deployed: "d", &renewed: "n", &ran: "ran"} {
		r.Set.UID = types.UID(uid)
		r.Set.Spec.Template.Spec.Containers = []corev1.Container{{Image: r.Image}}
	}
	deployed.After = "ran"
	all := releasesOf(infraspec.MainProcess, []k8s.Revision{restarted, deployed, renewed, ran})
	if got, known := ranBeforeCurrent(all, all[0]); !known || got.Number != 2 {
		t.Errorf("revision %d, %t", got.Number, known)
	}
	all[1].After = ""
	if got, known := ranBeforeCurrent(all, all[0]); known {
		t.Errorf("without a mark, revision %d", got.Number)
	}
}
