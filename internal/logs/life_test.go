package logs

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// lives can be raised to search for rare orders of events: go test ./internal/logs -run TestLife -lives 3000.
var lives = flag.Uint64("lives", 200, "number of containers whose life TestLife plays")

// Each line is shown once and in order, in whatever order streams break, logs are rotated, instances start and end,
// and the Pod's status is updated. There are two exceptions. After a rotation, lines that a broken stream had not read
// may be lost. If the status is later than statusDelay, the last lines of an instance may come after the first lines
// of the next instance.
func TestLife(t *testing.T) {
	for seed := range *lives {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &liveNode{
					dice: newDice(seed), lag: []int{20, 1500, 6000, 25000}[seed%4], rotates: seed%5 == 4,
					short: seed%3 == 2, loud: seed%7 < 2, noNewline: seed%4 == 1,
				}
				tail, out, warned := (&testKubelet{}).tail(func() view { n.mu.Lock(); defer n.mu.Unlock(); return n.status })
				tail.session.cluster, tail.showAll = n, true
				done := make(chan error, 1)
				go func() { done <- tail.run(t.Context()) }()
				n.run(tail.watch.update)
				if err := <-done; err != nil {
					t.Error(err)
				}
				n.check(t, out.String())
				if t.Failed() {
					t.Logf("warned %q", *warned)
				}
			})
		})
	}
}

// check compares the shown lines with the written lines.
func (n *liveNode) check(t *testing.T, shown string) {
	next, newest := make([]int, len(n.instances)), 0
	for line := range strings.Lines(shown) {
		var i, k int
		if m, err := fmt.Sscanf(line, "%d/%d\n", &i, &k); m != 2 || i >= len(next) || line != fmt.Sprintf("%d/%d\n", i, k) {
			t.Fatalf("got %q: %v", line, err)
		}
		if k < next[i] || k > next[i] && !n.rotates {
			t.Fatalf("got %q after %d", line, next[i]-1)
		}
		if i < newest && n.lag < 10000 && !n.short {
			t.Fatalf("got %q after lines of instance %d", line, newest)
		}
		next[i], newest = k+1, max(newest, i)
	}
	for i, x := range n.instances {
		if next[i] != x.lines && !n.rotates {
			t.Errorf("instance %d ends with line %d of %d", i, next[i], x.lines)
		}
	}
}

// If a stream continues in the next instance's log, because the pod's status named that instance too late, the reader
// returns to the lines that it skipped.
func TestReturnToGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &liveNode{dice: newDice(1)}
		x, y := &liveInstance{id: "x", files: [][]testLine{nil}}, &liveInstance{id: "y", files: [][]testLine{nil}}
		n.instances = []*liveInstance{x}
		n.status = n.view()
		tail, out, warned := (&testKubelet{}).tail(func() view { n.mu.Lock(); defer n.mu.Unlock(); return n.status })
		tail.session.cluster, tail.showAll = n, true
		done := make(chan error, 1)
		go func() { done <- tail.run(t.Context()) }()
		n.change(func() { n.write(0, x, 3) })
		time.Sleep(100 * time.Millisecond)
		n.change(func() { // all in the same second
			n.away = true
			n.write(0, x, 2)
			x.end = time.Now()
			n.instances = append(n.instances, y)
			n.write(1, y, 3)
		})
		time.Sleep(50 * time.Millisecond)
		n.change(func() { n.away = false })
		time.Sleep(2 * statusDelay)
		n.change(func() { n.status = n.view() })
		tail.watch.update(n.status)
		time.Sleep(10 * time.Second)
		n.change(func() { n.write(1, y, 1) })
		time.Sleep(10 * time.Second)
		tail.watch.update(view{podGone: true})
		n.change(func() { y.end = time.Now() })
		if err := <-done; err != nil {
			t.Error(err)
		}
		const want = "0/0 0/1 0/2 1/0 1/1 1/2 0/3 0/4 1/3 "
		got := strings.ReplaceAll(out.String(), "\n", " ")
		// Until the status comes, the next instance's log looks like this one's after a rotation.
		if got != want || len(*warned) != 1 || !strings.Contains((*warned)[0], "may be missing") {
			t.Errorf("got %q, want %q, warned %q", got, want, *warned)
		}
	})
}
