package k8s

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s/metadata"
)

// An annotation that restarts Pods does not make another version. Any other one does, for the history.
func TestSameVersion(t *testing.T) {
	template := func(annotation, image string) (out corev1.PodTemplateSpec) {
		if annotation != "" {
			out.Annotations = map[string]string{annotation: "2026-01-02T03:04:05Z"}
		}
		out.Spec.Containers = []corev1.Container{{Name: "shop", Image: image}}
		return out
	}
	for _, c := range []struct {
		annotation, image string
		version, pods     bool
	}{
		{"", "first", true, true},
		{"", "second", false, false},
		{"norn/secret-version", "first", true, true},
		{"kubectl.kubernetes.io/restartedAt", "first", true, true},
		{"reloader.stakater.com/last-reloaded-from", "first", true, true},
		{"vso.secrets.hashicorp.com/restartedAt", "first", true, true},
		{"cattle.io/timestamp", "first", true, true},
		{"cattle.io/timestamp", "second", false, false},
		{"prometheus.io/scrape", "first", false, true},
		{"prometheus.io/scrape", "second", false, false},
	} {
		a, b := template("", "first"), template(c.annotation, c.image)
		if version, pods := SameVersion(a, b), SamePods(a, b); version != c.version || pods != c.pods {
			t.Errorf("%s %s: the same version %v, want %v; the same Pods %v, want %v",
				c.annotation, c.image, version, c.version, pods, c.pods)
		}
		if len(b.Annotations) == 0 != (c.annotation == "") {
			t.Errorf("%s is gone", c.annotation)
		}
	}
}

// The Deployment says which commit the current ReplicaSet runs, unless somebody else has set its image or paused it.
func TestShippedOf(t *testing.T) {
	shipped := func(commit, image string) map[string]string {
		return map[string]string{metadata.CommitAnnotation: commit, metadata.ImageAnnotation: image}
	}
	for _, c := range []struct {
		name            string
		current, paused bool
		recorded        string
		want            string
	}{
		{"current", true, false, "first", "two"},
		{"an earlier one", false, false, "first", "one"},
		{"paused", true, true, "first", "one"},
		{"another image", true, false, "second", "one"},
	} {
		d, rs := &appsv1.Deployment{}, &appsv1.ReplicaSet{}
		d.Name, d.Spec.Paused, d.Annotations = "shop", c.paused, shipped("two", c.recorded)
		rs.Annotations = shipped("one", "first")
		rs.Spec.Template.Spec.Containers = []corev1.Container{{Name: "shop", Image: "first"}}
		if got := shippedOf(d, rs, c.current)[metadata.CommitAnnotation]; got != c.want {
			t.Errorf("%s: commit %s, want %s", c.name, got, c.want)
		}
	}
}
