package logs

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s"
)

// receiver receives the lines of one reader.
type receiver interface {
	// take receives a line or a part of a line. The text is valid only until take returns.
	take(p piece) error
	// idle is called before the reader waits for more lines.
	idle() error
	// flush is called at the end of a stream. The rest of an unfinished line comes later, as a separate line.
	flush() error
}

// reader reads the log of one container instance. It passes on each line once, however often the stream breaks.
type reader struct {
	log      containerLog
	instance string               // container ID
	first    corev1.PodLogOptions // limits of the first stream: number of lines and start time
	follow   bool
	wanted   LineFilter
	to       receiver
	ids      hasher
	// takeOver reports whether the reader of an earlier instance has read this line by mistake. If so, takeOver gives
	// this reader the lines of its log.
	takeOver func(lineID) bool
	debug    func(string) // receives details for troubleshooting
	warn     func(string)

	state          state
	progress       progress
	misread        *progress // progress in a later instance's log that the reader took for its own
	checkedMisread bool
	opened         int // number of streams
	standby        standby
	lastLine       lastLine
}

const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 3 * time.Second
	// retryPeriod is how long a reader retries without a new line. After that it returns an error or, with follow,
	// warns.
	retryPeriod = 25 * time.Second
)

// Ends of a stream other than io.EOF and connection errors.
var (
	errOtherInstance = errors.New("the container has restarted")
	errRotated       = errors.New("the stream stays in a rotated file")
	errPastUntil     = errors.New("all selected lines have passed")
	errLogGone       = errors.New("the log is gone or belongs to another instance")
	errHandedOver    = errors.New("its first lines were read as an earlier instance's")
)

// writeError is an error of the receiver. Retrying does not help.
type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// hasMore reports whether an instance in this state may have unread lines.
func (r *reader) hasMore(of instanceState) bool {
	switch r.state.extent {
	case readPart:
		return true
	case readNothing:
		return of == instancePrevious || of == instanceRunning
	case readAll: // the status said that the instance had ended
		return of == instanceRunning
	default:
		return false
	}
}

// read passes on the instance's lines until the instance has ended and all its lines are read, or until its log is
// gone. Without follow, it returns after the last existing line.
func (r *reader) read(ctx context.Context, w *containerWatch) error {
	r.state.extent, r.state.clean, r.state.emptyEnd, r.state.warned = readPart, false, false, false
	defer r.standby.close()
	if r.follow && !r.progress.pos.begun() && r.first.TailLines != nil && *r.first.TailLines == 0 {
		r.markEnd(ctx, w)
	}
	pause, lastNew := shortestPause, time.Now()
	for {
		a := attempt{state: w.view().stateOf(r.instance), follow: r.follow}
		err := r.readStream(ctx, &a, w)
		if a.newLines > 0 {
			pause, lastNew = shortestPause, time.Now()
		}
		r.state.attempt = a
		end := streamEnd{
			err: err, canceled: ctx.Err() != nil, standby: r.standby.isOpen(), idle: time.Since(lastNew),
		}
		var do action
		r.state, do = next(r.state, end)
		switch do {
		case reopen:
		case reopenNewFile:
			r.reportRotated(a.newLines)
		case resume:
			r.reportEnd(err)
		case warnAndRetry, retry:
			if do == warnAndRetry {
				r.warn(fmt.Sprintf("%s: cannot read the log: %v; retrying", r.log.name(), err))
			}
			r.reportEnd(err)
			r.wait(ctx, w, pause, err)
			pause = min(2*pause, longestPause)
		case stop:
			return nil
		case stopPastUntil:
			return r.to.flush()
		case stopLost:
			r.warnLost()
			return nil
		case fail:
			return err
		case cancel:
			return context.Cause(ctx)
		}
	}
}

// wait waits before the next stream: for pause, or until the container's view changes. It refreshes the view if err
// suggests that the view is outdated.
func (r *reader) wait(ctx context.Context, w *containerWatch, pause time.Duration, err error) {
	w.wait(ctx, pause)
	brokeWhileRunning := !r.state.clean && w.view().stateOf(r.instance) == instanceRunning
	if w.polled || k8s.IsNotFound(err) || brokeWhileRunning {
		w.refresh(ctx)
	}
}

// markEnd sets the position to the last line of the log, without passing the line on. Without a position, a stream of
// only new lines could not be resumed if it broke before its first line.
func (r *reader) markEnd(ctx context.Context, w *containerWatch) {
	one := int64(1)
	r.first.TailLines = &one
	a := &attempt{state: w.view().stateOf(r.instance), markOnly: true}
	err := r.readStream(ctx, a, w)
	r.first.TailLines = nil
	if !a.endedWell(err) {
		r.first.TailLines = new(int64)
	}
}

// reportRotated reports that the last stream stayed in a rotated file. If the stream had no new lines, the detector
// must ignore the line for which it closed the stream.
func (r *reader) reportRotated(newLines int64) {
	if newLines == 0 {
		r.lastLine.markFruitless()
	}
	r.debug(fmt.Sprintf("%s: the stream stayed in a rotated file after %s; reading the new file",
		r.log.name(), r.lastTime()))
}

func (r *reader) reportEnd(err error) {
	r.debug(fmt.Sprintf("%s: the stream ended after %s (%v); resuming it unless the container has ended",
		r.log.name(), r.lastTime(), err))
}

// warnLost warns about lines that may be missing from a log that is no longer readable.
func (r *reader) warnLost() {
	switch {
	case r.state.clean:
	case r.state.deleted && !r.progress.pos.begun():
		r.warn(r.log.name() + ": the kubelet has deleted this log")
	default:
		r.warn(fmt.Sprintf("%s: the log ended early: lines after %s may be missing", r.log.name(), r.lastTime()))
	}
}

// lastTime returns the time of the last line for messages.
func (r *reader) lastTime() string {
	if !r.progress.pos.begun() {
		return "its beginning"
	}
	return clockTime(r.progress.pos.newest)
}

func clockTime(ns int64) string { return time.Unix(0, ns).UTC().Format("15:04:05.000Z") }
