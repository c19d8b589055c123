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

// dedup passes on the lines of a stream that no earlier stream had.
type dedup struct {
	r         *reader
	attempt   *attempt
	requested instanceState // the instance's state at the request; instanceGone for a standby stream
	watch     *containerWatch
	pos       *position // the reader's position
	overlap   overlap
	line      lineState
	// undecided is a whole line. The next line determines whether it is new or known.
	undecided *piece
	// cutBefore is the unfinished line at the end of the previous stream.
	cutBefore piece
	// instanceEnd is a time, or 0 if unknown. Later lines do not belong to the instance. It is set once a later
	// instance is known.
	instanceEnd atomic.Int64
}

// lineState determines what happens to the pieces of the current line.
type lineState struct {
	emit    bool  // pass the line on
	resumed bool  // an earlier stream had a part of the line
	skip    int64 // remaining bytes of that part
}

func (r *reader) newDedup(a *attempt, requested instanceState, w *containerWatch) *dedup {
	r.opened++
	a.reopened = r.opened > 1
	pos := &r.progress.pos
	return &dedup{
		r: r, attempt: a, requested: requested, watch: w, pos: pos, overlap: pos.overlap(), cutBefore: r.progress.cut,
	}
}

// pass passes a piece on unless it is known.
func (d *dedup) pass(ctx context.Context, p piece) error {
	if p.begin {
		if err := d.beginLine(ctx, &p); err != nil {
			return err
		}
	}
	if !d.line.emit {
		return nil
	}
	if n := min(d.line.skip, int64(len(p.text))); n > 0 {
		d.line.skip -= n
		p.text = p.text[n:]
	}
	if d.line.resumed {
		if len(p.text) == 0 { // the whole line so far is known
			if p.end {
				d.pos.passed = -1
			}
			return nil
		}
		p.begin, d.line.resumed = true, false
		d.attempt.newLines++
	}
	if d.pos.passed >= 0 {
		d.pos.passed += int64(len(p.text))
	}
	if p.end {
		d.pos.passed = -1
	}
	return d.r.to.take(p)
}

// beginLine decides from the first piece of a line whether the line is new.
func (d *dedup) beginLine(ctx context.Context, p *piece) error {
	id := d.r.ids.id(p.at, p.text)
	if !d.pos.begun() && d.r.takeOver != nil && d.r.takeOver(id) {
		return errHandedOver
	}
	if d.undecided != nil {
		if !d.overlap.wasSeen(id) {
			if err := d.takeUndecided(ctx); err != nil {
				return err
			}
		} else if d.overlap.mode == overlapEnded {
			d.fileRepeats(d.undecided.at)
		}
		d.undecided = nil
	}
	v := d.overlap.judge(p.at, id)
	if v == lineOld {
		if d.isRepeated(ctx, p.at, id) {
			d.fileRepeats(p.at)
			v = d.overlap.judge(p.at, id)
		} else {
			d.pos.clockSetBack()
			v = lineNew
		}
	}
	if v == lineUndecided && p.end {
		d.undecided = &piece{at: p.at, text: slices.Clone(p.text), begin: true, end: true}
		d.line.emit = false
		return nil
	}
	return d.startLine(ctx, p, id, v)
}

// fileRepeats records that the kubelet sends the newest file again, from its first line on.
func (d *dedup) fileRepeats(first int64) {
	d.overlap.mode = overlapUndecided
	d.r.warn(fmt.Sprintf("%s: the log was rotated more than once before it was read: lines before %s may be missing"+
		" (is the reader of norn's output too slow?)", d.r.log.name(), clockTime(first)))
}

// takeUndecided passes on the undecided line.
func (d *dedup) takeUndecided(ctx context.Context) error {
	p := d.undecided
	d.undecided = nil
	id := d.r.ids.id(p.at, p.text)
	if d.overlap.mode == overlapUndecided {
		d.overlap.decide(p.at, id)
	}
	if err := d.startLine(ctx, p, id, lineNew); err != nil || !d.line.emit {
		return err
	}
	return d.r.to.take(*p)
}

// startLine records the beginning of a line and decides what happens to its pieces.
func (d *dedup) startLine(ctx context.Context, p *piece, id lineID, v lineVerdict) error {
	rotated := d.overlap.gap
	if rotated || !d.pos.begun() {
		d.overlap.gap = false
		if rotated || d.attempt.reopened {
			if err := d.confirmInstance(ctx, p.at); err != nil {
				return err
			}
		}
		d.r.progress.markGap(id)
	}
	// If the log was rotated in the middle of a line, the line begins at the end of the old file, and continues in the
	// first line of the new file.
	cut := d.r.progress.cut
	d.r.progress.cut = piece{}
	d.line = lineState{emit: v != lineKnown, resumed: v == linePartlyKnown}
	switch v {
	case lineKnown:
		d.attempt.reachedKnownEnd = d.overlap.mode == overlapEnded
		return nil
	case linePartlyKnown:
		d.attempt.reachedKnownEnd = true
		d.line.skip = d.pos.passed
		return nil
	default:
	}
	if end := d.instanceEnd.Load(); end != 0 && p.at > end {
		return errOtherInstance
	}
	d.pos.see(p.at, id)
	d.r.standby.from.Store(d.pos.base)
	d.attempt.newLines++
	if !p.end {
		d.pos.passed = 0
	}
	if until := d.r.wanted.Until; until != 0 && p.at > until {
		return errPastUntil
	}
	d.line.emit = d.r.wanted.matches(p.at, p.text) && !d.attempt.markOnly
	if rotated && len(cut.text) > 0 && cut.at != p.at && d.line.emit {
		p.begin = false
		return d.r.to.take(cut)
	}
	return nil
}

// finish handles the remaining text at the end of the stream. It returns how the stream ended.
func (d *dedup) finish(ctx context.Context, lines *scanner, follow bool, end error) error {
	// If the stream broke, the next stream repeats an undecided line at its beginning.
	if d.undecided != nil && (d.overlap.mode != overlapUndecided || errors.Is(end, io.EOF)) {
		if err := d.takeUndecided(ctx); err != nil {
			return err
		}
	}
	if p, ok := lines.rest(); ok && (errors.Is(end, io.EOF) || errors.Is(end, errRotated)) {
		if err := d.passCutLine(ctx, p, follow); err != nil {
			return err
		}
	}
	if lines.remark != "" { // the kubelet ended the stream before the end of the log
		d.attempt.reachedKnownEnd = false
		d.r.debug(fmt.Sprintf("%s: %s", d.r.log.name(), lines.remark))
	}
	if err := d.r.to.flush(); err != nil {
		return err
	}
	return end
}

// passCutLine handles an unfinished line at the end of the stream. A reader that follows holds it, because the next
// stream repeats the whole line, unless the rest is in the next file. If the log of an ended instance ends twice with
// the same unfinished line, the line has no rest, and passCutLine passes it on.
func (d *dedup) passCutLine(ctx context.Context, p piece, follow bool) error {
	again := p.at == d.cutBefore.at && bytes.Equal(p.text, d.cutBefore.text)
	if p.begin && d.attempt.follow && (follow || !again) {
		d.r.progress.cut = piece{at: p.at, text: slices.Clone(p.text), begin: true}
		d.attempt.unfinished = true
		return nil
	}
	if follow {
		return nil
	}
	return d.pass(ctx, p)
}

// statusDelay is how long the Pod's status may show a container as running after its stream has ended.
const statusDelay = 10 * time.Second

// confirmInstance returns errOtherInstance if a reopened stream belongs to a later instance. It is called if the
// stream begins with a line that does not follow a known line. That also happens if the log was rotated in the
// meantime. The Pod's status might not show a later instance yet, so confirmInstance waits for the status, unless the
// Pod is terminating: such a Pod starts no instances. If the log was rotated, it warns about lines that may be missing.
func (d *dedup) confirmInstance(ctx context.Context, at int64) error {
	for begin := time.Now(); d.requested != instanceGone && !d.watch.view().terminating; {
		d.watch.wait(ctx, shortestPause)
		d.watch.refresh(ctx)
		if d.watch.view().stateOf(d.r.instance) != d.requested {
			return errOtherInstance
		}
		if !d.pos.begun() || d.r.state.rotated || time.Since(begin) > statusDelay || ctx.Err() != nil {
			break
		}
	}
	// A reader reads a rotated file to its end before it leaves it, so a short pause does not mean a lost line.
	expected := int64(0)
	if d.r.state.rotated {
		expected = second
	}
	if d.pos.begun() && at-d.pos.newest > expected {
		d.r.warn(fmt.Sprintf(
			"%s: the log was rotated while the stream was interrupted: lines between %s and %s may be missing",
			d.r.log.name(), d.r.lastTime(), clockTime(at)))
	}
	return nil
}

// isRepeated reports whether a line is older than the last line seen. It requests the log from the line's time on: an
// older line comes before the last line. If it does not, the node's clock was set back.
func (d *dedup) isRepeated(ctx context.Context, at int64, id lineID) bool {
	opts := d.r.request(d.requested, false)
	opts.TailLines, opts.SinceTime = nil, wholeSecond(at)
	body, err := d.r.log.peek(ctx, opts)
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
		switch d.r.ids.id(p.at, p.text) {
		case id:
			return true
		case d.pos.last:
			return false
		}
	}
}
