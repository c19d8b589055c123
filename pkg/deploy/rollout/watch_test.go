package rollout

import (
	"bytes"
	"strings"
	"testing"
	"time"

	k8srollout "norn/pkg/k8s/rollout"
)

// At the time limit, a version whose Pods are all available succeeds with a warning. Any other version has failed.
func TestTimeUp(t *testing.T) {
	const message = "waiting for old Pod shop-1 to end"
	for _, c := range []struct {
		name            string
		verdict         k8srollout.Verdict
		state           k8srollout.State
		reason          k8srollout.Reason
		message, output string
	}{
		{"available", k8srollout.Verdict{Message: message, Up: true, Ready: 2, Want: 2}, k8srollout.Complete, "",
			"2 of 2 Pods available",
			"warning: the new Pods are available, but the rollout is not complete after 5m0s: " + message},
		{"not available", k8srollout.Verdict{Message: message, Ready: 1, Want: 2}, k8srollout.Failed, k8srollout.TimedOut,
			"not complete after 5m0s: " + message, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			w := &watcher{runner: &runner{Target: Target{Timeout: 5 * time.Minute}, out: &out}, verdict: c.verdict}
			w.timeUp(t.Context())
			if v := w.verdict; v.State != c.state || v.Reason != c.reason || v.Message != c.message {
				t.Errorf("got state %d, reason %q, %q; want %d, %q, %q", v.State, v.Reason, v.Message, c.state, c.reason, c.message)
			}
			if got := strings.TrimSpace(out.String()); got != c.output {
				t.Errorf("printed %q, want %q", got, c.output)
			}
		})
	}
}

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
