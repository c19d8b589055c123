package logs

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// quietBeforeCheck is how long a stream may be quiet before the end of its log is checked.
	quietBeforeCheck = 2 * time.Second
	// longestCheckInterval is the longest time between two checks.
	longestCheckInterval = 5 * time.Minute
	// checkTimeout is how long a check may take.
	checkTimeout = 10 * time.Second
)

// rotationDetector reads a stream that follows a log, and closes the stream if it stays in a rotated file.
//
// The kubelet watches for rotations only after a stream has reached the end of its file once
// (k8s.io/cri-client/pkg/logs). A rotation before that, which happens during heavy reading, leaves the stream at the
// end of the old file forever. So when a stream is quiet, the detector compares the log's last line with the last line
// read. If they are equal, the stream is at the end of the newest file, and the kubelet will notice later rotations.
// If the log has later lines, and still has them after a while, the detector closes the stream with errRotated. The
// next stream reads the new file.
type rotationDetector struct {
	body       io.ReadCloser
	lastRead   func() lastRead
	compareEnd func(lastRead) logEnd // asks the cluster
	wait       time.Duration         // quiet time before the next check

	mu       sync.Mutex
	reads    int   // number of reads begun and ended: odd during a read
	atNewest bool  // the stream has reached the end of the newest file
	wasAhead bool  // at the last check, the log had lines after the last line read
	closed   error // why the detector closed the stream
}

// detectRotation returns a detector that reads body.
func (r *reader) detectRotation(ctx context.Context, body io.ReadCloser, since *metav1.Time) *rotationDetector {
	fruitless := r.lastLine.fruitless
	compareEnd := func(read lastRead) logEnd { return r.compareEnd(ctx, read, since, fruitless) }
	return &rotationDetector{
		body: body, lastRead: r.progress.pos.lastRead, compareEnd: compareEnd, wait: quietBeforeCheck,
	}
}

// Read implements io.Reader.
func (d *rotationDetector) Read(p []byte) (int, error) {
	read, atNewest := d.countRead()
	if !atNewest {
		last := d.lastRead()
		check := time.AfterFunc(d.wait, func() { d.check(read, last) })
		defer check.Stop()
	}
	n, err := d.body.Read(p)
	d.countRead()
	if why := d.closeReason(); why != nil && n == 0 {
		return 0, why
	}
	return n, err
}

// countRead counts the beginning or the end of a read.
func (d *rotationDetector) countRead() (reads int, atNewest bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	d.wasAhead = false
	return d.reads, d.atNewest
}

func (d *rotationDetector) closeReason() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// isWaiting reports whether this read has not returned.
func (d *rotationDetector) isWaiting(read int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reads == read
}

// check compares the log's end with the last line read. It repeats that while the same read waits.
func (d *rotationDetector) check(read int, last lastRead) {
	if !d.isWaiting(read) {
		return
	}
	end := d.compareEnd(last)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.reads != read { // the stream has sent more in the meantime
		return
	}
	aheadBefore := d.wasAhead
	d.wasAhead = end == endAhead
	switch {
	case end == endReached:
		d.atNewest = true
		return
	case end == endAhead && aheadBefore: // only the second time, because a slow stream may still deliver the lines
		d.closed = errRotated
		_ = d.body.Close()
		return
	case end == endAhead:
		d.wait = quietBeforeCheck
	default:
		d.wait = min(2*d.wait, longestCheckInterval)
	}
	time.AfterFunc(d.wait, func() { d.check(read, last) })
}

// closeIfWaiting closes the stream with errOtherInstance if the read that the previous call returned is still waiting.
// Otherwise it returns the current read for the next call.
func (d *rotationDetector) closeIfWaiting(read int) (current int, closed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if betweenReads := read%2 == 0; betweenReads || d.reads != read {
		return d.reads, false
	}
	d.closed = errOtherInstance
	_ = d.body.Close()
	return d.reads, true
}

// lastLine records the log's last line at the latest check.
type lastLine struct {
	checked atomic.Uint64 // the lineID of the last check
	// fruitless is a line for which a stream was closed although the next stream had nothing new. For a line longer
	// than 16 KiB, the kubelet returns only the last part of the line, which has its own time.
	fruitless lineID
}

// markFruitless records that the stream closed after the last check had no new lines.
func (l *lastLine) markFruitless() { l.fruitless = lineID(l.checked.Load()) }

// compareEnd requests the last line of the log's newest file and compares it with the last line read.
func (r *reader) compareEnd(ctx context.Context, read lastRead, since *metav1.Time, fruitless lineID) logEnd {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	one := int64(1)
	body, err := r.log.peek(ctx, &corev1.PodLogOptions{TailLines: &one})
	if err != nil {
		return endUnknown
	}
	defer func() { _ = body.Close() }()
	p, err := newScanner(body, false, func() error { return nil }).next()
	if errors.Is(err, io.EOF) && !read.any && since == nil {
		return endReached // the log is empty; a rotated file would have lines, which the stream would have read
	}
	if err != nil || p.at == 0 {
		return endUnknown
	}
	id := r.ids.id(p.at, p.text)
	_, _ = io.Copy(io.Discard, body) // so that the connection can be reused
	if id == fruitless {
		return endReached
	}
	r.lastLine.checked.Store(uint64(id))
	from := int64(0)
	if since != nil {
		from = since.UnixNano()
	}
	return read.compare(p.at, id, from)
}
