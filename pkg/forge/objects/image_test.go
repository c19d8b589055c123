package objects

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestPullPolicy(t *testing.T) {
	for image, want := range map[string]corev1.PullPolicy{
		"shop:latest":                           corev1.PullNever,
		"shop":                                  corev1.PullNever,
		"team/shop:1":                           corev1.PullNever,
		"localhost/shop:1":                      corev1.PullIfNotPresent,
		"127.0.0.1:25000/shop:1":                corev1.PullIfNotPresent,
		"registry.example.com/team/shop":        corev1.PullAlways,
		"registry.example.com/team/shop:latest": corev1.PullAlways,
		"docker.io/library/nginx:1.27":          corev1.PullIfNotPresent,
		"registry.example.com/shop:latest@sha256:" + strings.Repeat("a", 64): corev1.PullIfNotPresent,
		"registry.example.com/shop@sha256:" + strings.Repeat("a", 64):        corev1.PullIfNotPresent,
	} {
		got, err := PullPolicy(image)
		if err != nil || got != want {
			t.Errorf("PullPolicy(%q) = %q, %v; want %q", image, got, err, want)
		}
	}
	for _, bad := range []string{"", "Shop:1", "shop:", "http://example.com/shop"} {
		if _, err := PullPolicy(bad); err == nil {
			t.Errorf("PullPolicy(%q) returned no error", bad)
		}
	}
}
