package rollout

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"norn/pkg/pipeline"
)

// What few Deployments wait for is shown in full. Of many, a line has the sum, and the first that is not complete.
func TestWaiting(t *testing.T) {
	release := func(count, complete int) (l *labels, pods []pipeline.Pod) {
		l = &labels{}
		for i := range count {
			w := &label{name: fmt.Sprint("worker-", i), text: "1 of 2 new Pods available"}
			w.pods = []pipeline.Pod{{Ready: true}, {Ready: i < complete}}
			l.waits = append(l.waits, w)
			pods = append(pods, w.pods...)
		}
		return l, pods
	}
	for _, c := range []struct {
		count, complete int
		want            string
	}{
		{1, 0, "worker-0: 1 of 2 new Pods available"},
		{10, 3, "13 of 20 new Pods ready; waiting for worker-3 and 6 more"},
		{10, 10, "20 of 20 new Pods ready"},
		{3, 2, "5 of 6 new Pods ready; worker-2: 1 of 2 new Pods available"},
	} {
		l, pods := release(c.count, c.complete)
		if got := l.waiting(pods); got != c.want {
			t.Errorf("%d of %d complete: got %q, want %q", c.complete, c.count, got, c.want)
		}
	}
}

// From a failure on, nothing is shown but what comes back.
func TestWaitingForRestore(t *testing.T) {
	l := &labels{out: io.Discard}
	for _, name := range []string{"main", "worker", "mailer"} {
		_ = l.of(name)
		l.waits[len(l.waits)-1].Wait("0 of 2 new Pods available", []pipeline.Pod{{Name: name + "-new"}})
	}
	l.restore()
	if got := l.waiting(nil); strings.Contains(got, "new") || strings.Contains(got, "worker") {
		t.Errorf("right after the failure: %q", got)
	}
	pods := []pipeline.Pod{{Ready: true}, {}, {Ready: true, Old: true}}
	l.waits[0].Wait("restoring revision 4: 1 of 2 Pods available", pods)
	if got, want := l.waiting(pods), "restoring: main: 1 of 2 Pods available"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	l.waits[1].Wait("restoring revision 4: 1 of 2 Pods available", pods)
	pods = append(pods, pods...)
	if got, want := l.waiting(pods), "restoring: 2 of 4 Pods ready; waiting for main and 1 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A reason that several processes have is given once.
func TestReasons(t *testing.T) {
	var r reasons
	r.add("main", "no earlier version")
	r.add("worker", "no earlier version")
	r.add("mailer", "it has gone")
	if got, want := r.describe(true), "main, worker: no earlier version; mailer: it has gone"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := r.describe(false); got != "no earlier version; it has gone" {
		t.Errorf("got %q", got)
	}
}
