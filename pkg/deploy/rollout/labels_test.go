package rollout

import (
	"fmt"
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
