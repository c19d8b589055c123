package rollout

import (
	"testing"

	k8srollout "norn/pkg/k8s/rollout"
)

// While a version is restored, its Pods are not called new.
func TestRestoreProgress(t *testing.T) {
	for message, want := range map[string]string{
		"0 of 2 new Pods available":     "restoring revision 4: 0 of 2 Pods available",
		"waiting for 1 old Pod to end":  "restoring revision 4: waiting for 1 failed Pod to end",
		"waiting for 2 old Pods to end": "restoring revision 4: waiting for 2 failed Pods to end",
	} {
		w := &watcher{runner: &runner{restoring: "restoring revision 4"}}
		if got := w.progress(k8srollout.Verdict{Message: message}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if w.restoring = ""; w.progress(k8srollout.Verdict{Message: message}) != message {
			t.Errorf("%q changes without a restore", message)
		}
	}
}
