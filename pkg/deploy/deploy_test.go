package deploy

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s"
)

func TestIsCommit(t *testing.T) {
	const commit = "0123456789abcdef"
	for _, c := range []struct {
		commit, target string
		want           bool
	}{
		{commit, "0123456", true}, {commit, commit, true},
		{commit, "012345", false}, {commit, "1123456", false}, {commit, "", false},
		{commit + "-dirty", "0123456", false}, {commit + "-dirty", "0123456-dirty", true}, {commit, "0123456-dirty", false},
	} {
		if got := isCommit(c.commit, c.target); got != c.want {
			t.Errorf("isCommit(%q, %q) = %t", c.commit, c.target, got)
		}
	}
}

// A commit may have been deployed twice. The revision that is known to run comes first.
func TestFindRelease(t *testing.T) {
	revisions := []k8s.Revision{
		{Number: 20, Commit: "0123456789abcdef", Failed: "CrashLoop"},
		{Number: 11, Commit: "0123456789abcdef", Verified: true},
		{Number: 3, Commit: "fedcba9876543210"},
	}
	for target, want := range map[string]int64{"0123456": 11, "20": 20, "fedcba9": 3} {
		if got, err := findRelease(releasesOf("main", revisions), target); err != nil || got.Number != want {
			t.Errorf("%s: revision %d, error %v, want %d", target, got.Number, err, want)
		}
	}
}

func revision(number int64, image string, verified, current bool, annotations map[string]string) k8s.Revision {
	rs := &appsv1.ReplicaSet{}
	rs.Spec.Template.Annotations = annotations
	rs.Spec.Template.Labels = map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: image}
	rs.Spec.Template.Spec.Containers = []corev1.Container{{Name: "shop", Image: image}}
	return k8s.Revision{Number: number, Image: image, Verified: verified, Proven: verified, Current: current, Set: rs}
}

// beforeNorn names the container as kubectl create deployment does.
func beforeNorn(r k8s.Revision) k8s.Revision {
	r.Set.Spec.Template.Spec.Containers[0].Name = "image"
	return r
}

func TestPreviousVerified(t *testing.T) {
	restarted := map[string]string{"kubectl.kubernetes.io/restartedAt": "now"}
	for _, c := range []struct {
		name      string
		revisions []k8s.Revision
		want      int64 // 0 for none
	}{
		{"none", nil, 0},
		{"the only one", []k8s.Revision{revision(1, "a", true, true, nil)}, 0},
		{"the one before", []k8s.Revision{revision(2, "b", true, true, nil), revision(1, "a", true, false, nil)}, 1},
		{
			"not a failed one",
			[]k8s.Revision{
				revision(3, "c", true, true, nil), revision(2, "b", false, false, nil), revision(1, "a", true, false, nil),
			},
			1,
		},
		{
			"not one from before norn",
			[]k8s.Revision{revision(2, "b", true, true, nil), beforeNorn(revision(1, "a", true, false, nil))}, 0,
		},
		{"not a newer one", []k8s.Revision{revision(3, "c", true, false, nil), revision(2, "b", true, true, nil)}, 0},
		{"where the current one has no ReplicaSet yet", []k8s.Revision{revision(1, "a", true, false, nil)}, 1},
		{
			"not the same, restarted",
			[]k8s.Revision{
				revision(3, "b", true, true, restarted), revision(2, "b", true, false, nil), revision(1, "a", true, false, nil),
			},
			1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := previousVerified(releasesOf("main", c.revisions), "shop")
			if got.Number != c.want || (err == nil) != (c.want != 0) {
				t.Errorf("revision %d, error %v; want %d", got.Number, err, c.want)
			}
		})
	}
}
