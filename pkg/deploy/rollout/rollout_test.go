package rollout

import "testing"

// A failure without its own hint names the norn command to run.
func TestHintOfError(t *testing.T) {
	for _, c := range []struct {
		name string
		f    Failure
		want string
	}{
		{"its own", Failure{App: "shop", Hint: "check the image"}, "check the image"},
		{"restored", Failure{App: "shop", Restored: "as revision 3"},
			"see the Pods with norn status shop, and their logs with norn logs shop"},
		{"not restored", Failure{App: "shop", Kept: "--no-rollback"},
			"see the Pods with norn status shop, or go back with norn rollback shop"},
	} {
		if got := (&Error{c.f}).Hint(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
