package rollout

import (
	"testing"
	"time"

	"norn/pkg/k8s"
)

// Kubernetes numbers an old ReplicaSet again if a paused Deployment has its template for a moment. The last verified
// revision is the one that was rolled out last.
func TestLastVerified(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC) }
	got, found := lastVerified([]k8s.Revision{
		{Number: 7, Since: at(9)},
		{Number: 6, Since: at(4), Verified: true}, // revision 4, numbered again
		{Number: 5, Since: at(5), Verified: true},
		{Number: 3, Since: at(3), Verified: true},
	})
	if !found || got.Number != 5 {
		t.Errorf("got %d, %v, want 5", got.Number, found)
	}
	if _, found := lastVerified([]k8s.Revision{{Number: 1}}); found {
		t.Error("found a verified revision among none")
	}
}
