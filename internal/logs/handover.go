package logs

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// The API serves the log of a Pod's container, not of an instance. A stream opened for one instance may belong to the
// next instance, because the kubelet serves the new log before the Pod's status names the new instance. When the
// reader notices that, it hands the lines over to the reader of the next instance.

// progress is how far a reader has read, counting only lines that are known to belong to its instance.
type progress struct {
	pos position
	cut piece // the unfinished line at the end of a stream
	// gap is the last line that did not follow a known line. From there on, the log may belong to a later instance.
	// beforeGap is the position before that line.
	gap       lineID
	beforeGap position
}

// markGap records that a line does not follow a known line.
func (p *progress) markGap(id lineID) { p.gap, p.beforeGap = id, p.pos }

// returnToGap returns to the position before the last gap, and stores the progress since then for the reader of the
// later instance.
func (r *reader) returnToGap() {
	misread := r.progress
	r.misread = &misread
	r.progress = progress{pos: misread.beforeGap}
	r.standby.from.Store(r.progress.pos.base)
}

// checkMisread returns to the last gap if the lines after it are the beginning of the newest instance's log.
func (r *reader) checkMisread(ctx context.Context) {
	enough := int64(1024) // enough for the timestamp and the bytes of a lineID
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

// takeOver gives r the lines of its log that the reader of an earlier instance has already read. It reports whether
// the line id was the first of these lines. If so, the remaining lines of the earlier instance come first.
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

// writeDelay is how long a runtime may still write lines after its container's end, which is known to the second.
const writeDelay = 2 * time.Second

// closeWhenReplaced closes a stream that stays open although a later instance is known: it belongs to that instance. A
// line that is too new for the instance also ends the stream. Call stop after reading the stream.
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
