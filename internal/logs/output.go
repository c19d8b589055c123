package logs

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Format formats one container's lines. Its methods append to dst and return it.
type Format interface {
	// Line formats a whole line.
	Line(dst []byte, at time.Time, text []byte) []byte
	// Begin, Part and End format a line that is too long to buffer: its beginning, its text in pieces, its end.
	Begin(dst []byte, at time.Time) []byte
	Part(dst, text []byte) []byte
	End(dst []byte) []byte
}

// output writes the lines of all containers, one chunk of whole lines at a time. A busy container does not keep others
// waiting, because sync.Mutex prefers a goroutine that has waited for more than a millisecond. If w is slow, all
// containers wait, and norn reads nothing from the cluster.
type output struct {
	w    io.Writer
	fail func(error) // receives errors of writes that no caller waits for

	mu sync.Mutex
}

// write writes a chunk of whole lines.
func (o *output) write(chunk []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writeLocked(chunk)
}

// writeLocked writes a chunk; the caller holds mu.
func (o *output) writeLocked(chunk []byte) error {
	if _, err := o.w.Write(chunk); err != nil {
		return &writeError{fmt.Errorf("write the log: %w", err)}
	}
	return nil
}

const (
	// chunkSize is the size at which a container's output is written.
	chunkSize = 32 << 10
	// linger is how long a line waits to be written together with later lines, if the stream has no more yet.
	linger = 5 * time.Millisecond
	// longestStall is how long a line that comes in pieces may block the output without a new piece.
	longestStall = 2 * time.Second
)

// lineWriter is a receiver that writes lines as they come.
type lineWriter struct {
	out    *output
	format Format
	raw    bool // do not end an unfinished line: its rest may follow, or the container has written none

	mu    sync.Mutex
	chunk []byte
	timer *time.Timer // writes the chunk, or ends a stalled line
	due   time.Time   // when the timer must do so, or zero
	// blocks is true while the writer holds out.mu: from the first to the last piece of a long line, unless the line
	// stalls.
	blocks bool
}

func (d *lineWriter) take(p piece) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !p.begin || !p.end {
		return d.takePart(p)
	}
	d.chunk = d.format.Line(d.chunk, time.Unix(0, p.at), p.text)
	if len(d.chunk) < chunkSize {
		return nil
	}
	return d.writeChunk()
}

// takePart writes a piece of a long line at once; the caller holds mu.
func (d *lineWriter) takePart(p piece) error {
	if !d.blocks {
		if err := d.writeChunk(); err != nil {
			return err
		}
		d.out.mu.Lock()
		d.blocks, d.due = true, time.Time{}
		d.chunk = d.format.Begin(d.chunk, time.Unix(0, p.at)) // after a stall, the rest of the line becomes a separate line
	}
	d.chunk = d.format.Part(d.chunk, p.text)
	if p.end {
		d.chunk = d.format.End(d.chunk)
		return d.unblock()
	}
	err := d.out.writeLocked(d.chunk)
	d.chunk = d.chunk[:0]
	return err
}

// unblock writes the rest of a long line and unblocks the output; the caller holds mu.
func (d *lineWriter) unblock() error {
	err := d.out.writeLocked(d.chunk)
	d.chunk, d.blocks = d.chunk[:0], false
	d.out.mu.Unlock()
	return err
}

// writeChunk writes the chunk unless it is empty; the caller holds mu.
func (d *lineWriter) writeChunk() error {
	if len(d.chunk) == 0 || d.blocks {
		return nil
	}
	err := d.out.write(d.chunk)
	d.chunk = d.chunk[:0]
	if cap(d.chunk) > 4*chunkSize { // release the memory of a long line
		d.chunk = nil
	}
	return err
}

func (d *lineWriter) flush() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flushLocked()
}

// flushLocked writes the chunk and ends a long line; the caller holds mu.
func (d *lineWriter) flushLocked() error {
	if !d.blocks {
		return d.writeChunk()
	}
	if !d.raw {
		d.chunk = d.format.End(d.chunk)
	}
	return d.unblock()
}

func (d *lineWriter) idle() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.blocks:
		d.due = time.Time{} // the line did not stall
		d.flushAfter(longestStall)
	case len(d.chunk) >= chunkSize/4:
		return d.writeChunk()
	case len(d.chunk) > 0:
		d.flushAfter(linger)
	}
	return nil
}

// flushAfter flushes after a delay, unless a flush is already due; the caller holds mu.
func (d *lineWriter) flushAfter(after time.Duration) {
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

// expire flushes if a flush is due.
func (d *lineWriter) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.due.IsZero() || time.Now().Before(d.due) {
		return
	}
	d.due = time.Time{}
	if err := d.flushLocked(); err != nil {
		d.out.fail(err)
	}
}
