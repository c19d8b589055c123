package logs

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// If a container's status is missing for a while, or says that the container has ended, the container's reader
// continues at its position.
func TestStatusThatComesBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		while view
	}{
		{"nothing known", view{}},
		{"ended", view{current: "x", ended: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lines := numbered(40)
				k := newTestKubelet("x", lines[:20])
				now := view{current: "x"}
				tail, out, _ := k.tail(func() view { k.mu.Lock(); defer k.mu.Unlock(); return now })
				tail.showAll = true
				turn := func(written int, to view) {
					k.change(func() { k.files["x"], now = lines[:written], to })
					tail.watch.update(to)
				}
				done := make(chan error, 1)
				go func() { done <- tail.run(t.Context()) }()
				synctest.Wait()
				turn(30, c.while)
				k.breaks <- errReset
				time.Sleep(time.Minute)
				turn(40, view{current: "x"})
				time.Sleep(time.Minute)
				turn(40, view{current: "x", ended: true})
				k.breaks <- errReset
				time.Sleep(time.Minute)
				turn(40, view{podGone: true})
				if err := <-done; err != nil {
					t.Error(err)
				}
				if want := strings.Join(texts(lines), "\n") + "\n"; out.String() != want {
					t.Errorf("got %q\nwant %q", out.String(), want)
				}
			})
		})
	}
}
