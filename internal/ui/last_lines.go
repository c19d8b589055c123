package ui

import (
	"slices"
	"sync"
	"time"
)

// tail are the last lines of a step's output.
type lastLines struct {
	keep  int
	lines []string
	cut   int // how many there were before them
}

func (t *lastLines) add(line string) {
	if t.lines = append(t.lines, line); len(t.lines) > t.keep {
		t.lines, t.cut = slices.Delete(t.lines, 0, 1), t.cut+1
	}
}

// clear forgets the step that has ended.
func (t *lastLines) clear() { t.lines, t.cut = nil, 0 }

// ticker does something again and again until it is stopped.
type ticker struct {
	done  chan struct{}
	ended sync.WaitGroup
}

// every calls do each d, while it holds mu.
func every(d time.Duration, mu sync.Locker, do func()) *ticker {
	t := &ticker{done: make(chan struct{})}
	t.ended.Go(func() {
		tick := time.NewTicker(d)
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

// stop returns when do will not be called again. A nil ticker has nothing to stop.
func (t *ticker) stop() {
	if t != nil {
		close(t.done)
		t.ended.Wait()
	}
}
