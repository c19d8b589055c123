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
	// readNothing means that the instance has ended and its log showed no known line. The log may have belonged to the
	// next instance, because the kubelet serves that log before the Pod's status names the instance.
	readNothing
	readAll   // up to the end of the log after the instance ended
	readFinal // all lines that are selected or still readable
)

// state is what a reader keeps from one stream to the next, in addition to its position in the log.
type state struct {
	attempt  attempt // the last stream
	extent   extent
	clean    bool // the last stream ended as at the end of the log
	emptyEnd bool // the last stream of an ended instance ended well, without a new line
	rotated  bool // the last stream stayed in a rotated file
	deleted  bool // the kubelet has deleted the log
	warned   bool // the user was warned that the log cannot be read
}

// streamEnd describes how and when a stream ended.
type streamEnd struct {
	err      error         // io.EOF, or the reason why the stream broke or did not open
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

// next returns what a reader does after the end of a stream, with the reader's new state. It has no side effects.
func next(s state, end streamEnd) (state, action) {
	a, err := s.attempt, end.err
	switch {
	case errors.Is(err, errLogGone):
		if s.deleted {
			s.extent = readFinal
		}
		return s, stopLost
	case errors.Is(err, errHandedOver): // the earlier instance's reader goes first, because it may have more to read
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
	case atEnd && a.state != instanceRunning: // the stream may have ended before the log did, so check again
		return s, reopen
	case !a.follow && end.idle > retryPeriod:
		return s, fail
	case !s.clean && !s.warned && end.idle > retryPeriod:
		s.warned = true
		return s, warnAndRetry
	case s.clean && a.newLines > 0: // if the container has just ended, its log may soon disappear with the Pod
		return s, resume
	default:
		return s, retry
	}
}

// isPermanent reports whether another stream would fail with the same error: the output is not writable, or the user
// is not allowed to read logs.
func isPermanent(err error) bool {
	var write *writeError
	var denied *k8s.DeniedError
	return errors.As(err, &write) || errors.As(err, &denied)
}

// isDeleted reports whether a stream's error means that the log is deleted for good. During a rotation, a log briefly
// has no file. During a restart, the container runtime briefly knows no containers.
func isDeleted(a attempt, end streamEnd) bool {
	noFile := errors.Is(end.err, errNoLogFile)
	if !noFile && !errors.Is(end.err, errUnavailable) {
		return false
	}
	running := a.state == instanceRunning
	return noFile && (!running || end.standby) || (!running || !a.follow) && end.idle > longestPause
}

// mayFollowEnd reports whether err is an error of a request for a log that the reader has already read to its end.
func mayFollowEnd(err error) bool {
	return k8s.IsNotFound(err) || errors.Is(err, errNoLogFile) || errors.Is(err, errUnavailable) ||
		errors.Is(err, errOtherInstance)
}

// isComplete reports whether a stream that ended well reached the end of the log. If the kubelet disappears behind the
// API server, a stream also ends well, but earlier. A stream at the end of the log has shown the last known line. If
// the log has no lines, two streams in a row end without a line.
func isComplete(a attempt, emptyBefore bool) bool {
	if !a.follow {
		return true
	}
	return a.state != instanceRunning && a.newLines == 0 && !a.unfinished && (a.reachedKnownEnd || emptyBefore)
}

// extentAtEnd returns how much of a log a stream has read that reached the end.
func extentAtEnd(a attempt) extent {
	if a.follow && !a.reachedKnownEnd && a.state == instanceEnded {
		return readNothing
	}
	return readAll
}
