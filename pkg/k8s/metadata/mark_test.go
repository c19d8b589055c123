package metadata

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// marked returns a ReplicaSet with hash a and annotations. manager owns norn/verified, norn/failed and norn/rolled-out.
func marked(annotations map[string]string, manager string) *appsv1.ReplicaSet {
	rs := &appsv1.ReplicaSet{}
	rs.CreationTimestamp = metav1.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	rs.Labels = map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: "a"}
	rs.Annotations = annotations
	fields := &metav1.FieldsV1{}
	fields.SetRawBytes(
		[]byte(`{"f:metadata":{"f:annotations":{"f:norn/failed":{},"f:norn/rolled-out":{},"f:norn/verified":{}}}}`))
	rs.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: manager, FieldsV1: fields}}
	return rs
}

// A mark counts only on the ReplicaSet for which norn wrote it.
func TestMarksOf(t *testing.T) {
	const early, late = "2026-01-02T03:04:05Z", "2026-01-02T03:05:05Z"
	type m = map[string]string
	for _, c := range []struct {
		name        string
		annotations m
		manager     string
		want        Marks
	}{
		{"none", nil, DeployManager, Marks{}},
		{"its own", m{"norn/verified.a": early}, "", Marks{Verified: parseTime(early)}},
		{"another's", m{"norn/verified.b": early, "norn/failed.b": late + " CrashLoop"}, "", Marks{}},
		{"failed later", m{"norn/verified.a": early, "norn/failed.a": late + " CrashLoop"}, "",
			Marks{Verified: parseTime(early), Failed: parseTime(late), Reason: "CrashLoop"}},
		{"failed earlier", m{"norn/verified.a": late, "norn/failed.a": early + " CrashLoop"}, "",
			Marks{Verified: parseTime(late)}},
		{"of an earlier version", m{"norn/verified": early}, DeployManager, Marks{Verified: parseTime(early)}},
		{"of an earlier version, failed", m{"norn/failed": "CrashLoop"}, DeployManager,
			Marks{Failed: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC), Reason: "CrashLoop"}},
		{"of an earlier version, failed at", m{"norn/failed": "CrashLoop", "norn/rolled-out": late}, DeployManager,
			Marks{Failed: parseTime(late), Reason: "CrashLoop"}},
		{"of an earlier version, copied", m{"norn/verified": early, "norn/failed": "CrashLoop"},
			"kube-controller-manager", Marks{}},
		{"of both, the earlier version later", m{"norn/verified": late, "norn/verified.a": early}, DeployManager,
			Marks{Verified: parseTime(late)}},
		{"of both, the earlier version earlier", m{"norn/verified": early, "norn/verified.a": late}, DeployManager,
			Marks{Verified: parseTime(late)}},
		{"of both, failed later",
			m{"norn/failed": "OOMKilled", "norn/rolled-out": late, "norn/failed.a": early + " CrashLoop"}, DeployManager,
			Marks{Failed: parseTime(late), Reason: "OOMKilled"}},
		{"of both, failed earlier",
			m{"norn/failed": "OOMKilled", "norn/rolled-out": early, "norn/failed.a": late + " CrashLoop"}, DeployManager,
			Marks{Failed: parseTime(late), Reason: "CrashLoop"}},
		{"not a time", m{"norn/verified.a": "yes", "norn/failed.a": "CrashLoop"}, "", Marks{}},
	} {
		got := MarksOf(marked(c.annotations, c.manager))
		if !got.Verified.Equal(c.want.Verified) || !got.Failed.Equal(c.want.Failed) || got.Reason != c.want.Reason {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// New marks replace all others, and read back as they were.
func TestMarksAnnotations(t *testing.T) {
	at := parseTime("2026-01-02T03:04:05Z")
	rs := marked(map[string]string{
		"norn/verified.b": "x", "norn/failed": "x", "norn/rolled-out": "x", "norn/commit": "kept",
	}, "")
	for name, value := range (Marks{Verified: at, Failed: at, Reason: "CrashLoop"}).Annotations(rs) {
		if value == nil {
			delete(rs.Annotations, name)
			continue
		}
		rs.Annotations[name] = value.(string)
	}
	if got := MarksOf(rs); !got.Verified.Equal(at) || !got.Failed.Equal(at) || got.Reason != "CrashLoop" ||
		len(rs.Annotations) != 3 || rs.Annotations["norn/commit"] != "kept" {
		t.Errorf("%v of %v", got, rs.Annotations)
	}
}

// A mark keeps the releases of a ReplicaSet. A release with the same number replaces the one before.
func TestReleaseMarks(t *testing.T) {
	rs := marked(map[string]string{"norn/release.a": "3=main,worker x 4=main", "norn/release.b": "9=main"}, "")
	m := MarksOf(rs)
	m = m.Join(Release{4, []string{"main", "worker"}}).Join(Release{4, []string{"main", "worker"}}).Join(Release{})
	patch := m.Annotations(rs)
	if got := patch["norn/release.a"]; got != "3=main,worker 4=main,worker" || patch["norn/release.b"] != nil {
		t.Errorf("got %v", patch)
	}
	if _, removed := patch["norn/release.b"]; !removed {
		t.Error("the mark of another ReplicaSet stays")
	}
}

// A mark keeps the commits that were shipped as a ReplicaSet, the last one at the end.
func TestCommitMarks(t *testing.T) {
	rs := marked(map[string]string{"norn/commits.a": "one two", "norn/commits.b": "x"}, "")
	m := MarksOf(rs).WithCommit("three").WithCommit("one").WithCommit("")
	patch := m.Annotations(rs)
	if got := patch["norn/commits.a"]; got != "two three one" {
		t.Errorf("got %v", patch)
	}
	if other, removed := patch["norn/commits.b"]; other != nil || !removed {
		t.Error("the mark of another ReplicaSet stays")
	}
}
