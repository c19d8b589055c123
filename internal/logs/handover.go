package logs

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// The API serves the log of a pod's container, not of an instance. A stream that is opened for one instance may be the
// next one's: the kubelet serves the new log before the pod's status names the new instance. When the reader notices
// that later, it hands the lines over to the reader of the next instance.

// progress is how far a reader has read, as far as the lines are known to be its instance's.
type progress struct {
	pos position
	cut piece // the beginning of a line with which a stream ended
	// gap is the last line that did not follow a known one. From there on, the log may be a later instance's. beforeGap
	// is the position before that line.
	gap       lineID
	beforeGap position
}

// markGap notes that a line does not follow a known one.
func (p *progress) markGap(id lineID) { p.gap, p.beforeGap = id, p.pos }

// returnToGap returns to the position before the last gap, and sets what was read since then aside for the reader of
// the later instance.
func (r *reader) returnToGap() {
	misread := r.progress
	r.misread = &misread
	r.progress = progress{pos: misread.beforeGap}
	r.standby.from.Store(r.progress.pos.base)
}

// checkMisread returns to the last gap if the lines after it are the beginning of the newest instance's log.
func (r *reader) checkMisread(ctx context.Context) {
	enough := int64(1024) // for the timestamp and the bytes that a lineID is made of
	body, err := r.log.peek(ctx, &corev1.PodLogOptions{LimitBytes: &enough})
	if err != nil {
		return
	}
	defer func() { _ = body.Close() }()
	lines := newScanner(body, false, func() error { return nil })
	p, err := lines.next()
	if err != nil {
		p, _ = lines.rest()
	}
	if p.at != 0 && r.progress.gap == r.ids.id(p.at, p.text) {
		r.returnToGap()
	}
	r.checkedMisread = true
}

// takeOver hands over to r the lines of r's log that the reader of an earlier instance already read, and reports
// whether the line id was the first of them. The remaining lines of the earlier instance are then read first.
func (t *tail) takeOver(r *reader, id lineID) bool {
	for _, earlier := range t.readers {
		if earlier != r && earlier.progress.gap == id {
			earlier.returnToGap()
			earlier.state.extent = readPart
		}
		if earlier.misread != nil && earlier.misread.gap == id {
			r.progress, earlier.misread = *earlier.misread, nil
			r.standby.from.Store(r.progress.pos.base)
			r.debug(r.log.name() + ": " + errHandedOver.Error())
			return true
		}
	}
	return false
}

// writeDelay is how long after a container's end its runtime may still write lines. The end is known to the second.
const writeDelay = 2 * time.Second

// closeWhenReplaced closes a stream that does not end although a later instance is known: it belongs to the later one.
// A line that is too new for the instance ends the stream, too. Call stop when the stream has been read.
func (d *dedup) closeWhenReplaced(stream *rotationDetector) (stop func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
			return
		case <-d.watch.replacementOf(d.r.instance):
		}
		if v := d.watch.view(); v.previous == d.r.instance && v.previousEnd != 0 {
			d.instanceEnd.Store(v.previousEnd + int64(writeDelay))
		}
		for reads, closed := 0, false; !closed; reads, closed = stream.closeIfWaiting(reads) {
			select {
			case <-done:
				return
			case <-time.After(time.Second):
			}
		}
	}()
	return func() { close(done) }
}
