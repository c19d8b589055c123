package logs

import (
	"errors"
	"time"

	"norn/pkg/k8s"
)

// extent is how much of an instance's log has been read.
type extent int

const (
	readPart extent = iota
	// readNothing: the instance has ended, and its log showed no line, or none that is known. It may have been the log
	// of the next instance, which the kubelet serves before the pod's status names it.
	readNothing
	readAll   // up to the end that the log had after the instance ended
	readFinal // all lines that are selected or can still be read
)

// state is what a reader remembers from one stream to the next, in addition to its position in the log.
type state struct {
	attempt  attempt // the last stream
	extent   extent
	clean    bool // the last stream ended as it does at the end of the log
	emptyEnd bool // the last stream of an ended instance ended well, without a new line
	rotated  bool // the last stream stayed in a rotated file
	deleted  bool // the kubelet has deleted the log
	warned   bool // the user was warned that the log cannot be read
}

// streamEnd is how a stream ended, and when.
type streamEnd struct {
	err      error         // io.EOF, or why the stream broke or could not be opened
	canceled bool          // the reader's context has ended
	standby  bool          // a standby stream is open
	idle     time.Duration // time since the last new line, or since the reader began
}

// action is what a reader does after the end of a stream.
type action int

const (
	reopen        action = iota // open the next stream at once
	reopenNewFile               // open the next stream at once; the last one stayed in a rotated file
	resume                      // open the next stream at once; the last one had new lines and may have been the last
	retry                       // wait, then open the next stream
	warnAndRetry                // warn that the log cannot be read, wait, then open the next stream
	stop                        // return
	stopPastUntil               // write what is buffered, then return
	stopLost                    // warn that lines may be missing, then return
	fail                        // return the error of the stream
	cancel                      // return the cause of the context's end
)

// next decides what a reader does after the end of a stream. It has no side effects: it returns the reader's new state
// with the action.
func next(s state, end streamEnd) (state, action) {
	a, err := s.attempt, end.err
	switch {
	case errors.Is(err, errLogGone):
		if s.deleted {
			s.extent = readFinal
		}
		return s, stopLost
	case errors.Is(err, errHandedOver): // the earlier instance's reader goes first: it may have more to read
		return s, stop
	case end.canceled:
		return s, cancel
	case isPermanent(err):
		return s, fail
	case errors.Is(err, errPastUntil):
		s.extent = readFinal
		return s, stopPastUntil
	case isDeleted(a, end):
		s.deleted = true
		return s, reopen
	}
	atEnd := a.endedWell(err)
	s.clean = atEnd || s.clean && mayFollowEnd(err)
	if atEnd && isComplete(a, s.emptyEnd) {
		s.extent = extentAtEnd(a)
		return s, stop
	}
	s.emptyEnd = atEnd && a.newLines == 0 && a.state != instanceRunning
	s.rotated = errors.Is(err, errRotated)
	s.warned = s.warned && a.newLines == 0
	switch {
	case s.rotated:
		return s, reopenNewFile
	case atEnd && a.state != instanceRunning: // the stream may have ended before the log did: look again
		return s, reopen
	case !a.follow && end.idle > retryPeriod:
		return s, fail
	case !s.clean && !s.warned && end.idle > retryPeriod:
		s.warned = true
		return s, warnAndRetry
	case s.clean && a.newLines > 0: // if the container has just ended, its log may vanish with the pod in a moment
		return s, resume
	default:
		return s, retry
	}
}

// isPermanent reports whether another stream would fail with the same error: the output cannot be written to, or the
// user is not allowed to read logs.
func isPermanent(err error) bool {
	var write *writeError
	var denied *k8s.DeniedError
	return errors.As(err, &write) || errors.As(err, &denied)
}

// isDeleted reports whether a stream's error means that the log is deleted for good. A log has no file for a moment
// while it is rotated, and the container runtime knows no containers while it is restarted.
func isDeleted(a attempt, end streamEnd) bool {
	noFile := errors.Is(end.err, errNoLogFile)
	if !noFile && !errors.Is(end.err, errUnavailable) {
		return false
	}
	running := a.state == instanceRunning
	return noFile && (!running || end.standby) || (!running || !a.follow) && end.idle > longestPause
}

// mayFollowEnd reports whether an error is one that a reader gets when it asks for a log after having read its end.
func mayFollowEnd(err error) bool {
	return k8s.IsNotFound(err) || errors.Is(err, errNoLogFile) || errors.Is(err, errUnavailable) ||
		errors.Is(err, errOtherInstance)
}

// isComplete reports whether a stream that ended well came to the end of the log. It ends well before that, too, if the
// kubelet goes away behind the API server. A stream at the end of the log has shown the last line that is known. If the
// log has no lines, the stream ends twice without one.
func isComplete(a attempt, emptyBefore bool) bool {
	if !a.follow {
		return true
	}
	return a.state != instanceRunning && a.newLines == 0 && !a.unfinished && (a.reachedKnownEnd || emptyBefore)
}

// extentAtEnd returns how much of a log a stream has read that came to its end.
func extentAtEnd(a attempt) extent {
	if a.follow && !a.reachedKnownEnd && a.state == instanceEnded {
		return readNothing
	}
	return readAll
}
