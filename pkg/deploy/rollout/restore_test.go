package rollout

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/k8s"
)

// Kubernetes gives an old ReplicaSet a new number if a paused Deployment briefly has its template. The last verified
// revision is the one that was rolled out last.
func TestLastVerified(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC) }
	got, found := LastVerified([]k8s.Revision{
		{Number: 7, Since: at(9)},
		{Number: 6, Since: at(4), Verified: true}, // revision 4, numbered again
		{Number: 5, Since: at(5), Verified: true},
		{Number: 3, Since: at(3), Verified: true},
	})
	if !found || got.Number != 5 {
		t.Errorf("got %d, %v, want 5", got.Number, found)
	}
	if _, found := LastVerified([]k8s.Revision{{Number: 1}}); found {
		t.Error("found a verified revision among none")
	}
}

// A revision from before norn has neither a commit nor a container with the app's name.
func TestDescribe(t *testing.T) {
	set := &appsv1.ReplicaSet{}
	for want, r := range map[string]k8s.Revision{
		"revision 3, commit c3f34529203d": {Set: set, Number: 3, Commit: "c3f34529203d00", Image: "shop:1"},
		"revision 4, shop:1":              {Set: set, Number: 4, Image: "shop:1"},
		"revision 5":                      {Set: set, Number: 5},
	} {
		if got := Describe(r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
