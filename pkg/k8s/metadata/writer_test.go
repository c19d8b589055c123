package metadata

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const template = `{"f:spec":{"f:template":{"f:spec":{}}}}`

// written returns an entry of a manager that has written fields in a minute.
func written(manager, fields string, minute int) metav1.ManagedFieldsEntry {
	at := metav1.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC)
	raw := &metav1.FieldsV1{}
	raw.SetRawBytes([]byte(fields))
	return metav1.ManagedFieldsEntry{Manager: manager, FieldsV1: raw, Time: &at, Operation: "Update"}
}

func deployment(entries ...metav1.ManagedFieldsEntry) *appsv1.Deployment {
	d := &appsv1.Deployment{}
	d.ManagedFields = entries
	return d
}

// The writer of a template is who changed it last, not norn, and not who changed it before.
func TestTemplateWriter(t *testing.T) {
	const labels = `{"f:metadata":{"f:labels":{}}}`
	const paused = `{"f:spec":{"f:paused":{}}}`
	pausing := deployment(written("kubectl-rollout", paused, 1), written("kubectl-set", template, 2))
	if got, _ := PauseWriter(deployment(), pausing); got != "kubectl-rollout" {
		t.Errorf("%q paused it", got)
	}
	for _, c := range []struct {
		name        string
		before, now *appsv1.Deployment
		want        string
	}{
		{"nobody", deployment(), deployment(), ""},
		{"the last one", deployment(),
			deployment(written("kubectl-set", template, 2), written("kubectl-edit", template, 1)), "kubectl-set"},
		{"norn", deployment(), deployment(written(DeployManager, template, 2), written(ForgeManager, template, 2)), ""},
		{"other fields", deployment(), deployment(written("kubectl-label", labels, 2)), ""},
		{"before", deployment(written("kubectl-set", template, 1)), deployment(written("kubectl-set", template, 1)), ""},
		{"again", deployment(written("kubectl-set", template, 1)), deployment(written("kubectl-set", template, 2)),
			"kubectl-set"},
	} {
		if got, at := TemplateWriter(c.before, c.now); got != c.want || at.IsZero() != (c.want == "") {
			t.Errorf("%s: %q at %s, want %q", c.name, got, at, c.want)
		}
	}
}

// A template is of others if one of them has written it last.
func TestIsTemplateOfOthers(t *testing.T) {
	theirs, ours := "kubectl-set", ForgeManager
	for _, c := range []struct {
		name string
		of   *appsv1.Deployment
		want bool
	}{
		{"nobody", deployment(), false},
		{"norn", deployment(written(ours, template, 1)), false},
		{"theirs, then norn's", deployment(written(theirs, template, 1), written(ours, template, 2)), false},
		{"norn's, then theirs", deployment(written(ours, template, 1), written(theirs, template, 2)), true},
		{"theirs at the same time", deployment(written(ours, template, 1), written(theirs, template, 1)), true},
		{"their other fields", deployment(written(ours, template, 1), written(theirs, `{"f:spec":{}}`, 2)), false},
	} {
		if got := IsTemplateOfOthers(c.of); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
}
