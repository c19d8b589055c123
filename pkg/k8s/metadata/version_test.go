package metadata

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestVersionName(t *testing.T) {
	for _, c := range []struct{ commit, image, want string }{
		{"0123456789abcdef", "x", "0123456789ab"},
		{"0123456789abcdef-dirty", "x", "0123456789ab-dirty"},
		{"0123", "x", "0123"},
		{"", "registry.example.com:5000/team/shop:1.4@sha256:00", "shop:1.4"},
		{"", "shop:latest", "shop:latest"},
		{"", "", ""},
	} {
		if got := VersionName(c.commit, c.image); got != c.want {
			t.Errorf("VersionName(%q, %q) = %q, want %q", c.commit, c.image, got, c.want)
		}
	}
}

func TestShipped(t *testing.T) {
	const commit, image = "0123456789abcdef", "127.0.0.1:5000/shop:0123456789ab@sha256:00"
	recorded := map[string]string{CommitAnnotation: commit, ImageAnnotation: image}
	older := map[string]string{CommitAnnotation: commit}
	for _, c := range []struct {
		name        string
		annotations map[string]string
		image, want string
	}{
		{"the shipped image", recorded, image, commit},
		{"another image", recorded, "127.0.0.1:5000/other:2", ""},
		{"another digest", recorded, "127.0.0.1:5000/shop:0123456789ab@sha256:01", ""},
		{"an older norn's image", older, image, commit},
		{"another image after an older norn", older, "127.0.0.1:5000/other:2", ""},
		{"another image without a tag", older, "127.0.0.1:5000/other", ""},
		{"uncommitted changes", map[string]string{CommitAnnotation: commit + DirtySuffix}, "shop:0123456789ab-dirty",
			commit + DirtySuffix},
		{"no annotations", nil, image, ""},
	} {
		if got := Shipped(c.annotations, c.image)[CommitAnnotation]; got != c.want {
			t.Errorf("%s: commit %q, want %q", c.name, got, c.want)
		}
	}
}

func TestImageOf(t *testing.T) {
	pod := func(names ...string) (pod corev1.PodSpec) {
		for _, name := range names {
			pod.Containers = append(pod.Containers, corev1.Container{Name: name, Image: name + ":1"})
		}
		return pod
	}
	for _, c := range []struct {
		pod  corev1.PodSpec
		want string
	}{{pod(), ""}, {pod("shop"), "shop:1"}, {pod("sidecar", "shop"), "shop:1"}, {pod("web", "sidecar"), "web:1"}} {
		if got := ImageOf(c.pod, "shop"); got != c.want {
			t.Errorf("ImageOf(%v) = %q, want %q", c.pod.Containers, got, c.want)
		}
	}
}

// The digest decides which image it is, in its repository. A tag alone may name another one tomorrow.
func TestSameImage(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"r:5000/shop:1@sha256:a", "r:5000/shop:2@sha256:a", true},
		{"r:5000/shop@sha256:a", "r:5000/shop:2@sha256:a", true},
		{"r:5000/shop:1@sha256:a", "r:5000/shop:1@sha256:b", false},
		{"r:5000/shop:1@sha256:a", "r:5001/shop:1@sha256:a", false},
		{"r:5000/shop:1", "r:5000/shop:1", false},
		{"", "", false},
	} {
		if got := SameImage(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}
