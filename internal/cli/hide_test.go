package cli

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// A Pod's values are known if its template names a version that was read, or if it was created after the values were
// written.
func TestLiveSecretsKnows(t *testing.T) {
	changed := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	l := &LiveSecrets{versions: map[string]bool{"7": true}, exists: true, changed: changed}
	for name, c := range map[string]struct {
		version string
		created time.Duration // after the change
		want    bool
	}{
		"this version":          {"7", -time.Hour, true},
		"an older version":      {"6", -time.Hour, false},
		"no version":            {"", -time.Hour, false},
		"created later":         {"6", time.Second, true},
		"created in the second": {"6", 0, false},
	} {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Annotations:       map[string]string{metadata.SecretAnnotation: c.version},
			CreationTimestamp: metav1.NewTime(changed.Add(c.created)),
		}}
		if got := l.knows(p); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if (&LiveSecrets{}).knows(&corev1.Pod{}) {
		t.Error("the values of a Secret that is gone are known")
	}
}
