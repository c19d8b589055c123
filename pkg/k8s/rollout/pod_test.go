package rollout

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s/metadata"
)

// The evidence of a failed rollout is the log of the app's own container, wherever a sidecar stands.
func TestFirstContainer(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, ""}, {[]string{"shop"}, "shop"}, {[]string{"proxy", "shop"}, "shop"}, {[]string{"old", "other"}, "old"},
	} {
		p := &corev1.Pod{}
		p.Labels = map[string]string{metadata.AppLabel: "shop"}
		for _, name := range c.names {
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: name})
		}
		if got := firstContainer(p); got != c.want {
			t.Errorf("%v: %q, want %q", c.names, got, c.want)
		}
	}
}
