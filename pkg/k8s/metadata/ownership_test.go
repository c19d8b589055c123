package metadata

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestIsOwned(t *testing.T) {
	created := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	written := func(manager string, operation metav1.ManagedFieldsOperationType, at time.Duration,
	) []metav1.ManagedFieldsEntry {
		return []metav1.ManagedFieldsEntry{
			{Manager: manager, Operation: operation, Time: &metav1.Time{Time: created.Add(at)}},
		}
	}
	marking := func(manager string, at time.Duration) []metav1.ManagedFieldsEntry {
		fields := &metav1.FieldsV1{}
		fields.SetRawBytes([]byte(`{"f:metadata":{"f:annotations":{"f:norn/uid":{}}}}`))
		entries := append(written(manager, metav1.ManagedFieldsOperationUpdate, at), written(ForgeManager, "Apply", 0)...)
		entries[0].FieldsV1 = fields
		return entries
	}
	const day = 24 * time.Hour
	const apply, update = metav1.ManagedFieldsOperationApply, metav1.ManagedFieldsOperationUpdate
	shop := map[string]string{AppLabel: "shop", ManagedByLabel: ManagedBy}
	mark := func(uid string) map[string]string { return map[string]string{UIDAnnotation: uid} }
	for _, c := range []struct {
		name                string
		labels, annotations map[string]string
		fields              []metav1.ManagedFieldsEntry
		want                bool
	}{
		{"made and marked", shop, mark("own"), written(ForgeManager, apply, 0), true},
		{"handed over by its mark", shop, mark("own"), written("kubectl-create", update, 0), true},
		{"another app's", map[string]string{AppLabel: "x", ManagedByLabel: ManagedBy}, mark("own"), nil, false},
		{"without the label", map[string]string{AppLabel: "shop"}, mark("own"), nil, false},
		{"copied with its mark", shop, mark("other"), written("kubectl-create", update, 0), false},
		{"restored with mark and managers", shop, mark("other"), marking(ForgeManager, 0), false},
		{"restored with mark and old managers", shop, mark("other"), marking(ForgeManager, -day), false},
		{"made, and an earlier mark brought back", shop, mark("other"), marking("kubectl-rollout", day), true},
		{"its own mark brought back", shop, mark("own"), marking("kubectl-rollout", day), true},
		{"made by kubectl expose", shop, nil, written("kubectl-expose", update, 0), false},
		{"made by an earlier norn", shop, nil, written(ForgeManager, apply, 0), true},
		{"changed by an earlier norn", shop, nil, written(DeployManager, apply, day), true},
		{"a Job", shop, nil, written(ForgeManager, update, 0), true},
		{"created after a slow webhook", shop, nil, written(ForgeManager, apply, -20*time.Second), true},
		{"restored with managers", shop, nil, written(ForgeManager, apply, -day), false},
		{"an entry without a time", shop, nil, []metav1.ManagedFieldsEntry{{Manager: ForgeManager, Operation: apply}}, false},
		{"no entries", shop, nil, nil, false},
	} {
		o := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
			UID: "own", CreationTimestamp: metav1.Time{Time: created},
			Labels: c.labels, Annotations: c.annotations, ManagedFields: c.fields,
		}}
		if got := IsOwned(o, "shop"); got != c.want {
			t.Errorf("%s: owned is %v, want %v", c.name, got, c.want)
		}
	}
}
