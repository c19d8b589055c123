package rollout

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/k8s"
)

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
