package logs

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// The API names a pod's container, and no instance of it: a stream that is opened for one may be the next one's, which the kubelet serves before
// the pod's status names it. Where that shows only later, what was read is left to the next one's reader.

// trail is where a reader has been: in its instance's log, as far as is known.
type trail struct {
	pos  position
	held piece // the beginning of a line with which a stream has ended
	// start is the last line that did not follow a known one. From there on the log may be a later instance's. before is where the reader was until then.
	start  lineID
	before position
}

// goBack goes back to where the reader was before it strayed, and leaves its trail to the other log's reader.
func (r *reader) goBack() {
	strayed := r.trail
	r.strayed = &strayed
	r.trail = trail{pos: strayed.before}
	r.spare.from.Store(r.pos.base)
}

// verify goes back if the newest instance's log begins with what was read as this one's.
func (r *reader) verify(ctx context.Context) {
	enough := int64(1024) // for a time and what tells lines from each other
	body, err := r.stream(ctx, r.slots.look, &corev1.PodLogOptions{Container: r.container, Timestamps: true, LimitBytes: &enough})
	if err != nil {
		return
	}
	defer func() { _ = body.Close() }()
	lines := newScanner(body, false, func() error { return nil })
	p, err := lines.next()
	if err != nil {
		p, _ = lines.rest()
	}
	if p.at != 0 && r.start == r.ids.id(p.at, p.text) {
		r.goBack()
	}
	r.verified = true
}

// takeOver gives a reader at its beginning what that of an earlier instance has read of its log, if that has read this line. What is left of the earlier one's comes
// first.
func (t *tail) takeOver(r *reader, id lineID) bool {
	for _, x := range t.readers {
		if x != r && x.start == id {
			x.goBack()
			x.have = some
		}
		if x.strayed != nil && x.strayed.start == id {
			r.trail, x.strayed = *x.strayed, nil
			r.spare.from.Store(r.pos.base)
			r.say(r.name() + ": " + errTaken.Error())
			return true
		}
	}
	return false
}

// late is how long after a container's end its runtime may still be writing lines; the end is known to a second.
const late = 2 * time.Second

// leave breaks a stream off that does not end though the instance has, and another is known that follows it: it is that one's. Lines of a later time
// end it too. Call stop when the stream has been read.
func (s *passage) leave(stream *settling) (stop func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
			return
		case <-s.w.replacementOf(s.instance):
		}
		if now := s.w.view(); now.previous == s.instance && now.previousEnd != 0 {
			s.limit.Store(now.previousEnd + int64(late))
		}
		for reads, broken := 0, false; !broken; reads, broken = stream.breakOff(reads) {
			select {
			case <-done:
				return
			case <-time.After(time.Second):
			}
		}
	}()
	return func() { close(done) }
}

// breakOff breaks the stream off with errOtherInstance where it is in the same read as before; else it returns what it is at.
func (s *settling) breakOff(before int) (reads int, broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reads != before || before%2 == 0 { // between two
		return s.reads, false
	}
	s.why = errOtherInstance
	_ = s.body.Close()
	return s.reads, true
}
