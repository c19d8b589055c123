package k8s

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
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
