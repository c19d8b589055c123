package signals

import (
	"testing"
	"testing/synctest"
	"time"
)

// The limit does not run during cleanups, wherever they begin, and starts again after them.
func TestDeadline(t *testing.T) {
	const length = 15 * time.Second
	for name, c := range map[string]struct {
		do   func(d *deadline, start func())
		over time.Duration // since the beginning; 0 means never
	}{
		"no cleanup": {func(_ *deadline, start func()) { start() }, length},
		"cleanup after the signal": {func(d *deadline, start func()) {
			start()
			time.Sleep(10 * time.Second)
			resume := d.pause()
			time.Sleep(time.Hour)
			resume()
			resume() // counts once
		}, time.Hour + 10*time.Second + length},
		"cleanup before the signal": {func(d *deadline, start func()) {
			resume := d.pause()
			start()
			time.Sleep(time.Hour)
			resume()
		}, time.Hour + length},
		"two cleanups": {func(d *deadline, start func()) {
			start()
			outer, inner := d.pause(), d.pause()
			time.Sleep(time.Hour)
			inner()
			time.Sleep(time.Hour)
			outer()
		}, 2*time.Hour + length},
		"no signal": {func(d *deadline, _ func()) { d.pause()() }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin, over := time.Now(), time.Duration(0)
				d := &deadline{length: length}
				c.do(d, func() { d.start(func() { over = time.Since(begin) }) })
				time.Sleep(24 * time.Hour)
				synctest.Wait()
				if over != c.over {
					t.Errorf("over after %s, want %s", over, c.over)
				}
			})
		})
	}
}
