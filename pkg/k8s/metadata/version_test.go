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
