package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"
)

// passage passes the lines of one stream on, those that are new.
type passage struct {
	*reader
	seen    overlap
	how     instanceState // what the stream was opened for
	later   bool          // whether it is not the instance's first
	w       *containerWatch
	pending *piece       // a line that the next decides on
	earlier piece        // the beginning of a line with which the stream before has ended
	limit   atomic.Int64 // the time after which no line is the instance's, where one is known that follows it; or 0
}

func (r *reader) passage(how instanceState, w *containerWatch) *passage {
	r.opened++
	r.caught, r.open = false, false
	return &passage{reader: r, seen: r.pos.overlap(), how: how, later: r.opened > 1, w: w, earlier: r.held}
}

// pass passes a piece on, unless it is known.
func (s *passage) pass(ctx context.Context, p piece) error {
	if p.begin {
		if err := s.begin(ctx, &p); err != nil {
			return err
		}
	}
	if !s.whole {
		return nil
	}
	if n := min(s.dropped, int64(len(p.text))); n > 0 {
		s.dropped -= n
		p.text = p.text[n:]
	}
	if s.resumed {
		if len(p.text) == 0 { // nothing of it was missing, so far
			if p.end {
				s.pos.passed = -1
			}
			return nil
		}
		p.begin, s.resumed = true, false
		s.got++
	}
	if s.pos.passed >= 0 {
		s.pos.passed += int64(len(p.text))
	}
	if p.end {
		s.pos.passed = -1
	}
	return s.to.take(p)
}

// begin decides on a line by its first piece.
func (s *passage) begin(ctx context.Context, p *piece) error {
	id := s.ids.id(p.at, p.text)
	if !s.pos.begun() && s.takeOver != nil && s.takeOver(id) {
		return errTaken
	}
	if s.pending != nil {
		if !s.seen.wasSeen(id) {
			if err := s.takePending(ctx); err != nil {
				return err
			}
		} else if s.seen.mode == overlapEnded {
			s.again(s.pending.at)
		}
		s.pending = nil
	}
	v := s.seen.judge(p.at, id)
	if v == lineOld {
		if s.repeats(ctx, p.at, id) {
			s.again(p.at)
			v = s.seen.judge(p.at, id)
		} else {
			s.pos.clockSetBack()
			v = lineNew
		}
	}
	if v == lineUndecided && p.end {
		s.pending, s.whole = &piece{at: p.at, text: slices.Clone(p.text), begin: true, end: true}, false
		return nil
	}
	return s.decided(ctx, p, id, v)
}

// again says that the newest file comes once more, from its first line on.
func (s *passage) again(first int64) {
	s.seen.mode = overlapUndecided
	s.warn(fmt.Sprintf("%s: its log was rotated more than once before it was read: lines before %s may be missing (is what reads them too slow?)", s.name(), clockTime(first)))
}

// takePending passes on the line that was pending.
func (s *passage) takePending(ctx context.Context) error {
	p := s.pending
	s.pending = nil
	id := s.ids.id(p.at, p.text)
	if s.seen.mode == overlapUndecided {
		s.seen.decide(p.at, id)
	}
	if err := s.decided(ctx, p, id, lineNew); err != nil || !s.whole {
		return err
	}
	return s.to.take(*p)
}

// end decides on a line after which the stream has ended: it comes again where the same is asked for again.
func (s *passage) end(ctx context.Context, ended error) error {
	if s.pending == nil || s.seen.mode == overlapUndecided && !errors.Is(ended, io.EOF) {
		return nil
	}
	return s.takePending(ctx)
}

// leftover takes the beginning of a line with which a stream has ended. It comes again, whole, unless its rest is in another file, or there is none: where the
// log of an instance that has ended ends with it twice.
func (s *passage) leftover(ctx context.Context, p piece, follow bool) error {
	again := p.at == s.earlier.at && bytes.Equal(p.text, s.earlier.text)
	if p.begin && s.follow && (follow || !again) {
		s.held = piece{at: p.at, text: slices.Clone(p.text), begin: true}
		s.open = true
		return nil
	}
	if follow {
		return nil
	}
	return s.pass(ctx, p)
}

// decided takes note of a line that begins.
func (s *passage) decided(ctx context.Context, p *piece, id lineID, v lineVerdict) error {
	rotated := s.seen.gap
	if rotated || !s.pos.begun() {
		s.seen.gap = false
		if rotated || s.later {
			if err := s.gap(ctx, p.at); err != nil {
				return err
			}
		}
		s.start, s.before = id, s.pos
	}
	// A line that was being written when the file was rotated is in two parts: one at the end of the old file, one at the beginning of the new.
	held := s.held
	s.held = piece{}
	s.whole, s.dropped, s.resumed = v != lineKnown, 0, v == linePartlyKnown
	switch v {
	case lineKnown:
		s.caught = s.seen.mode == overlapEnded
		return nil
	case linePartlyKnown:
		s.caught = true
		s.dropped = s.pos.passed
		return nil
	default:
	}
	if l := s.limit.Load(); l != 0 && p.at > l {
		return errOtherInstance
	}
	s.pos.see(p.at, id)
	s.spare.from.Store(s.pos.base)
	s.got++
	if !p.end {
		s.pos.passed = 0
	}
	if s.wanted.Until != 0 && p.at > s.wanted.Until {
		return errPastUntil
	}
	s.whole = s.wanted.matches(p.at, p.text) && !s.marking
	if rotated && len(held.text) > 0 && held.at != p.at && s.whole {
		p.begin = false
		return s.to.take(held)
	}
	return nil
}

// confirmation is how long the news that a container has ended may come behind the end of its stream.
const confirmation = 10 * time.Second

// gap is called where a stream that was opened again begins with a line that does not follow a known one: the log was rotated
// meanwhile, or the stream is that of another instance, which the pod's status may not name yet. After a pod has begun to end, none is started.
func (s *passage) gap(ctx context.Context, at int64) error {
	for begin := time.Now(); s.how != instanceGone && !s.w.view().terminating; {
		s.w.wait(ctx, shortestWait)
		s.w.refresh(ctx)
		if s.w.view().stateOf(s.instance) != s.how {
			return errOtherInstance
		}
		if !s.pos.begun() || s.stayed || time.Since(begin) > confirmation || ctx.Err() != nil {
			break
		}
	}
	if s.pos.begun() && at-s.pos.newest > int64(time.Second) {
		s.warn(fmt.Sprintf("%s: its log was rotated while the stream was broken: lines between %s and %s may be missing", s.name(), s.when(), clockTime(at)))
	}
	return nil
}

// repeats asks whether a line stands before the one that was seen last, or behind it.
func (s *passage) repeats(ctx context.Context, at int64, id lineID) bool {
	opts := s.options(s.how)
	opts.Follow, opts.TailLines, opts.SinceTime = false, nil, wholeSecond(at)
	body, err := s.stream(ctx, s.slots.look, opts)
	if err != nil {
		return false
	}
	defer func() { _ = body.Close() }()
	for lines := newScanner(body, true, func() error { return nil }); ; {
		p, err := lines.next()
		switch {
		case err != nil:
			return false
		case !p.begin:
			continue
		}
		switch s.ids.id(p.at, p.text) {
		case id:
			return true
		case s.pos.last:
			return false
		}
	}
}
