package logs

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Format makes the output of one container's lines. Its methods append to dst and return it.
type Format interface {
	// Line is a whole line.
	Line(dst []byte, at time.Time, text []byte) []byte
	// Begin, Part and End make a line that is too long to be held: its beginning, its text in pieces, its end.
	Begin(dst []byte, at time.Time) []byte
	Part(dst, text []byte) []byte
	End(dst []byte) []byte
}

// output is the one writer that all containers' lines go to, a chunk of whole lines at a time. Whoever waits for it longest is next:
// a loud container has its turn and no more (sync.Mutex is fair to those that wait for a millisecond). While its reader is slow,
// everybody waits, and nothing is read from the cluster.
type output struct {
	w    io.Writer
	fail func(error) // is told of an error that no caller waits for

	mu sync.Mutex
}

func (o *output) write(chunk []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writeHeld(chunk)
}

func (o *output) writeHeld(chunk []byte) error {
	if _, err := o.w.Write(chunk); err != nil {
		return &writeError{fmt.Errorf("write the log: %w", err)}
	}
	return nil
}

const (
	// chunkSize is how much of one container's output is written at once.
	chunkSize = 32 << 10
	// linger is how long a line may wait for others to be written with it, where the stream has no more just now.
	linger = 5 * time.Millisecond
	// stall is how long a line that is passed on in pieces may keep the output to itself without going on.
	stall = 2 * time.Second
)

// direct is a receiver that writes lines as they come.
type direct struct {
	out    *output
	format Format

	mu    sync.Mutex
	chunk []byte
	timer *time.Timer // writes what lingers, or ends a line that stalls
	due   time.Time   // when it is to do so; zero where it is not
	// A line that is passed on in pieces holds out.mu from its first piece to its last, unless it stalls.
	holds bool
}

func (d *direct) take(p piece) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !p.begin || !p.end {
		return d.part(p)
	}
	d.chunk = d.format.Line(d.chunk, time.Unix(0, p.at), p.text)
	if len(d.chunk) < chunkSize {
		return nil
	}
	return d.write()
}

// part writes a piece of a long line at once; the caller holds mu.
func (d *direct) part(p piece) error {
	if !d.holds {
		if err := d.write(); err != nil {
			return err
		}
		d.out.mu.Lock()
		d.holds, d.due = true, time.Time{}
		d.chunk = d.format.Begin(d.chunk, time.Unix(0, p.at)) // after a stall, the rest is a line of its own
	}
	d.chunk = d.format.Part(d.chunk, p.text)
	if p.end {
		return d.release()
	}
	err := d.out.writeHeld(d.chunk)
	d.chunk = d.chunk[:0]
	return err
}

// release ends the line that is open and lets others write; the caller holds mu.
func (d *direct) release() error {
	d.chunk = d.format.End(d.chunk)
	err := d.out.writeHeld(d.chunk)
	d.chunk, d.holds = d.chunk[:0], false
	d.out.mu.Unlock()
	return err
}

// write writes what there is; the caller holds mu.
func (d *direct) write() error {
	if len(d.chunk) == 0 || d.holds {
		return nil
	}
	err := d.out.write(d.chunk)
	d.chunk = d.chunk[:0]
	if cap(d.chunk) > 4*chunkSize { // a long line has passed
		d.chunk = nil
	}
	return err
}

func (d *direct) flush() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flushHeld()
}

func (d *direct) flushHeld() error {
	if d.holds { // of a line that has begun, more would have come
		return d.release()
	}
	return d.write()
}

func (d *direct) idle() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.holds:
		d.due = time.Time{} // it has gone on
		d.later(stall)
	case len(d.chunk) >= chunkSize/4:
		return d.write()
	case len(d.chunk) > 0:
		d.later(linger)
	}
	return nil
}

// later flushes after a while, unless that is already to be; the caller holds mu.
func (d *direct) later(after time.Duration) {
	if !d.due.IsZero() {
		return
	}
	d.due = time.Now().Add(after)
	if d.timer == nil {
		d.timer = time.AfterFunc(after, d.expire)
		return
	}
	d.timer.Reset(after)
}

// expire flushes what is due.
func (d *direct) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.due.IsZero() || time.Now().Before(d.due) {
		return
	}
	d.due = time.Time{}
	if err := d.flushHeld(); err != nil {
		d.out.fail(err)
	}
}
