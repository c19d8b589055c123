package rollout

import (
	"slices"
	"strings"
	"testing"

	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// The number of a release follows from the marks in the cluster. A run that continues an interrupted one finds the
// same.
func TestNumbered(t *testing.T) {
	both := []string{"main", "worker"}
	revision := func(current bool, numbers ...int64) k8s.Revision {
		v := k8s.Revision{Number: 7, Current: current}
		for _, n := range numbers {
			v.Releases = append(v.Releases, metadata.Release{Number: n, Processes: both})
		}
		return v
	}
	now := func(numbers ...int64) k8s.Revision { return revision(true, numbers...) }
	old := func(numbers ...int64) k8s.Revision { return revision(false, numbers...) }
	type h = []k8s.Revision
	for _, c := range []struct {
		name      string
		processes []string
		histories []h
		want      int64
	}{
		{"the first", both, []h{{now()}, {now()}}, 1},
		{"the first, after revisions of one process", both, []h{{now(), old()}, {now()}}, 8},
		{"another", both, []h{{now(), old(1)}, {now(), old(1)}}, 2},
		{"another, one process unchanged", both, []h{{now(), old(1)}, {now(1)}}, 2},
		{"unchanged", both, []h{{now(2), old(1)}, {now(2), old(1)}}, 2},
		{"killed between the marks", both, []h{{now(2), old(1)}, {now(), old(1)}}, 2},
		{"killed between the marks, one process unchanged", both, []h{{now(2), old(1)}, {now(1)}}, 2},
		{"back to an earlier one", both, []h{{now(1), old(2)}, {now(1), old(2)}}, 3},
		{"back to an earlier one, killed between the marks", both, []h{{now(1, 3), old(2)}, {now(1), old(2)}}, 3},
		{"with another process", []string{"mailer", "main", "worker"}, []h{{now(1)}, {now(1)}, {now()}}, 2},
	} {
		if got := numbered(c.processes, c.histories); got.Number != c.want || !slices.Equal(got.Processes, c.processes) {
			t.Errorf("%s: release %s, want %d", c.name, got, c.want)
		}
	}
}

// The rollouts of several Deployments share one output: each line names its process, and a wait counts all Pods.
func TestLabels(t *testing.T) {
	var out strings.Builder
	l := &labels{out: &out}
	main, worker := l.of("main").(*label), l.of("worker").(*label)
	for _, part := range []string{"restoring ", "revision 3\nnext\n"} {
		if _, err := main.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	main.Wait("0 of 2 new Pods available", nil)
	worker.Wait("0 of 1 new Pods available", nil)
	worker.Warn("late")
	const want = "main: restoring revision 3\nmain: next\nmain: 0 of 2 new Pods available\n" +
		"0 of 0 new Pods ready; waiting for main and 1 more\nwarning: worker: late\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// All watches end when the last Deployment is complete, and not before.
func TestCompleteness(t *testing.T) {
	c := completeness{of: make([]bool, 2)}
	for i, step := range []struct {
		deployment     int
		complete, want bool
	}{{0, true, false}, {0, false, false}, {1, true, false}, {0, true, true}} {
		if got := c.set(step.deployment, step.complete); got != step.want {
			t.Errorf("step %d: all complete is %v", i, got)
		}
	}
}
