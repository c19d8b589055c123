package rollout

import (
	"bytes"
	"errors"
	"io"
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
			if err := w.timeUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if v := w.verdict; v.State != c.state || v.Reason != c.reason || v.Message != c.message {
				t.Errorf("got state %d, reason %q, %q; want %d, %q, %q", v.State, v.Reason, v.Message, c.state, c.reason, c.message)
			}
			if got := strings.TrimSpace(out.String()); got != c.output {
				t.Errorf("printed %q, want %q", got, c.output)
			}
		})
	}
}

// At the time limit, a node that is at fault costs no version.
func TestNodeAtFault(t *testing.T) {
	for _, c := range []struct {
		name    string
		verdict k8srollout.Verdict
		want    string // "" if the version failed
	}{
		{"a dead node", k8srollout.Verdict{Message: "1 of 2 available; node-2 is not ready", Node: "node-2"},
			"not complete after 5m0s: 1 of 2 available; node-2 is not ready"},
		{"a silent node", k8srollout.Verdict{Message: "1 of 2 available", Node: "node-2", Pod: "shop-1", Unaccepted: true},
			"not complete after 5m0s: 1 of 2 available; node node-2 has not accepted Pod shop-1"},
		{"a claim on a dead node",
			k8srollout.Verdict{State: k8srollout.Stalled, Reason: k8srollout.VolumeNotMounted, Message: "held", Node: "node-2"},
			"not complete after 5m0s: held"},
		{"a slow version", k8srollout.Verdict{Message: "1 of 2 available"}, ""},
		{"a version that listens nowhere",
			k8srollout.Verdict{State: k8srollout.Stalled, Reason: k8srollout.ProbeFailing}, ""},
	} {
		w := &watcher{runner: &runner{Target: Target{Timeout: 5 * time.Minute}, out: io.Discard}, verdict: c.verdict}
		err := w.timeUp(t.Context())
		if _, node := errors.AsType[*NodeError](err); node != (c.want != "") || node && err.Error() != c.want {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
		if failed := w.verdict.State == k8srollout.Failed; failed != (c.want == "") {
			t.Errorf("%s: failed %v", c.name, failed)
		}
	}
}

// New Pods that wait for an old one to end have not failed, even if its node answers.
func TestOldPodAtFault(t *testing.T) {
	for name, c := range map[string]struct {
		verdict k8srollout.Verdict
		lostTo  k8srollout.Verdict
	}{
		"it has not ended": {verdict: k8srollout.Verdict{OldPod: "shop-1"}},
		"it ended late":    {lostTo: k8srollout.Verdict{OldPod: "shop-1", Overdue: true}},
	} {
		w := &watcher{runner: &runner{Target: Target{Timeout: 5 * time.Minute}, out: io.Discard}, verdict: c.lostTo}
		w.seen = time.Now().Add(-2 * time.Minute)
		w.countLost()
		w.verdict = c.verdict
		old, found := errors.AsType[*OldPodError](w.timeUp(t.Context()))
		if !found || old.Pod != "shop-1" || w.verdict.State == k8srollout.Failed {
			t.Errorf("%s: got %v, state %d", name, old, w.verdict.State)
		}
	}
}

// An open port fails a version only if no other container can have it.
func TestSharedPortIsNoEvidence(t *testing.T) {
	w := &watcher{runner: &runner{out: io.Discard}, verdict: k8srollout.Verdict{
		State: k8srollout.Stalled, Reason: k8srollout.ProbeFailing, Port: 8080, Shared: true,
	}}
	w.stalled, w.since = k8srollout.ProbeFailing, time.Now().Add(-time.Minute)
	w.measure(t.Context()) // would panic if it asked the cluster
	if w.verdict.State != k8srollout.Stalled {
		t.Errorf("state %d, want stalled", w.verdict.State)
	}
}

// The time that a node has cost does not count against the version.
func TestTimeLostToNode(t *testing.T) {
	for _, c := range []struct {
		name     string
		lost     time.Duration
		state    k8srollout.State
		patience time.Duration
		want     string // "" if the version failed
	}{
		{"most of the time", 4 * time.Minute, k8srollout.Progressing, 0,
			"not complete after 5m0s: 1 of 2 available; for 4m0s of this time, it waited for node node-2"},
		{"a moment", 2 * time.Second, k8srollout.Progressing, 0, ""},
		{"the version does not listen yet", 4 * time.Minute, k8srollout.Stalled, 0,
			"not complete after 5m0s: 1 of 2 available; for 4m0s of this time, it waited for node node-2"},
		{"the version has not listened for long", 2 * time.Minute, k8srollout.Stalled, 0, ""},
		{"the version fails by now", 4 * time.Minute, k8srollout.Stalled, time.Minute, ""},
	} {
		w := &watcher{
			runner:  &runner{Target: Target{Timeout: 5 * time.Minute}, out: io.Discard},
			verdict: k8srollout.Verdict{State: c.state, Patience: c.patience, Message: "1 of 2 available", Node: "node-2"},
			seen:    time.Now().Add(-c.lost),
		}
		w.countLost()
		w.verdict.Node = "" // it is back, or its Pods are replaced
		if err := w.timeUp(t.Context()); err == nil && c.want != "" || err != nil && err.Error() != c.want {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// A stall fails the rollout when its patience is over. A wait without a limit does not count against a later limit.
func TestPatienceStarts(t *testing.T) {
	w := &watcher{runner: &runner{out: io.Discard}}
	stalled := func(patience time.Duration) k8srollout.State {
		w.verdict = k8srollout.Verdict{State: k8srollout.Stalled, Reason: k8srollout.VolumeNotBound, Patience: patience}
		w.measure(t.Context())
		return w.verdict.State
	}
	if stalled(0) != k8srollout.Stalled {
		t.Fatal("failed without a limit")
	}
	w.since = time.Now().Add(-time.Hour)
	if stalled(time.Minute) != k8srollout.Stalled {
		t.Fatal("failed although the limit has just begun")
	}
	w.since = time.Now().Add(-time.Hour)
	if stalled(time.Minute) != k8srollout.Failed {
		t.Fatal("not failed after the limit")
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
