package rollout

import (
	"testing"

	k8srollout "norn/pkg/k8s/rollout"
)

// The error of a failed verify says what has changed: nothing, or the database.
func TestVerifyError(t *testing.T) {
	evidence := Failure{App: "shop", Reason: k8srollout.VerifyFailed, Message: "exit code 1", Hint: "see above"}
	const failed = "verify of shop failed (VerifyFailed): exit code 1; the running version is unchanged"
	for _, c := range []struct {
		err        VerifyError
		text, hint string
	}{
		{VerifyError{Evidence: evidence}, failed, "see above"},
		{VerifyError{Evidence: evidence, Snapshot: "a.dump"}, failed, "see above"},
		{VerifyError{evidence, true, ""}, failed + ", but the migration has been applied",
			"see above; the running version now works with the migrated database"},
		{VerifyError{evidence, true, "a.dump"}, failed + ", but the migration has been applied",
			"see above; to undo the migration, run norn snapshots restore a.dump"},
	} {
		if c.err.Error() != c.text || c.err.Hint() != c.hint {
			t.Errorf("got %q, %q", c.err.Error(), c.err.Hint())
		}
	}
}
