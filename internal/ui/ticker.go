package ui

import (
	"sync"
	"time"
)

// ticker calls a function periodically until it is stopped.
type ticker struct {
	done  chan struct{}
	ended sync.WaitGroup
}

// newTicker calls do at each interval, with mu locked.
func newTicker(interval time.Duration, mu sync.Locker, do func()) *ticker {
	t := &ticker{done: make(chan struct{})}
	t.ended.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-t.done:
				return
			case <-tick.C:
				mu.Lock()
				do()
				mu.Unlock()
			}
		}
	})
	return t
}

// stop stops the ticker and waits for a call that is running. It does nothing on a nil ticker.
func (t *ticker) stop() {
	if t != nil {
		close(t.done)
		t.ended.Wait()
	}
}
