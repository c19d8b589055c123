package signals

import (
	"sync"
	"time"
)

// deadline is a time limit that does not run during cleanups. It starts again after each of them.
type deadline struct {
	length time.Duration

	mu       sync.Mutex
	cleanups int
	timer    *time.Timer // nil before start
}

// start starts the limit. When the limit is over, it calls expired once.
func (d *deadline) start(expired func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.timer = time.AfterFunc(d.length, expired)
	if d.cleanups > 0 {
		d.timer.Stop()
	}
}

// pause stops the limit until the returned function is called.
func (d *deadline) pause() (resume func()) {
	d.count(+1)
	return sync.OnceFunc(func() { d.count(-1) })
}

func (d *deadline) count(change int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cleanups += change
	switch {
	case d.timer == nil:
	case d.cleanups == 0:
		d.timer.Reset(d.length)
	default:
		d.timer.Stop()
	}
}
