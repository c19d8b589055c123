package logs

import (
	"fmt"
	"io"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"norn/pkg/k8s"
)

// next returns what a reader does after the end of a stream, and what it records.
func TestNext(t *testing.T) {
	running := attempt{state: instanceRunning, follow: true}
	withLines := attempt{state: instanceRunning, follow: true, newLines: 3}
	ended := attempt{state: instanceEnded, follow: true}
	endedWithLines := attempt{state: instanceEnded, follow: true, newLines: 3}
	atKnownEnd := attempt{state: instanceEnded, follow: true, reachedKnownEnd: true}
	unfinished := attempt{state: instanceEnded, follow: true, reachedKnownEnd: true, unfinished: true}
	previous := attempt{state: instancePrevious, follow: true}
	once, onceEnded := attempt{state: instanceRunning}, attempt{state: instanceEnded}
	notFound := fmt.Errorf("read: %w", apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, "p"))
	const soon, late = longestPause, retryPeriod + 1

	for _, c := range []struct {
		name   string
		last   attempt
		before state
		end    streamEnd
		do     action
		after  state
	}{
		// The reader stops.
		{"log gone", ended, state{clean: true}, streamEnd{err: errLogGone}, stopLost, state{clean: true}},
		{"log gone, canceled", ended, state{}, streamEnd{err: errLogGone, canceled: true}, stopLost, state{}},
		{"log gone, deleted", ended, state{deleted: true}, streamEnd{err: errLogGone}, stopLost,
			state{deleted: true, extent: readFinal}},
		{"handed over", running, state{}, streamEnd{err: errHandedOver, canceled: true}, stop, state{}},
		{"canceled", atKnownEnd, state{}, streamEnd{err: io.EOF, canceled: true}, cancel, state{}},
		{"canceled in a write", running, state{}, streamEnd{err: &writeError{io.EOF}, canceled: true}, cancel, state{}},
		{"broken output", running, state{}, streamEnd{err: &writeError{errReset}}, fail, state{}},
		{"denied", running, state{}, streamEnd{err: &k8s.DeniedError{}}, fail, state{}},
		{"past --until", withLines, state{}, streamEnd{err: errPastUntil}, stopPastUntil, state{extent: readFinal}},

		// A log is missing, for good or briefly.
		{"no file, running", running, state{}, streamEnd{err: errNoLogFile, idle: late}, warnAndRetry,
			state{warned: true}},
		{"no file, standby", running, state{}, streamEnd{err: errNoLogFile, standby: true}, reopen,
			state{deleted: true}},
		{"no file, ended", ended, state{}, streamEnd{err: errNoLogFile}, reopen, state{deleted: true}},
		{"no file, not following", once, state{}, streamEnd{err: errNoLogFile, idle: soon + 1}, reopen,
			state{deleted: true}},
		{"no file for a moment", once, state{}, streamEnd{err: errNoLogFile, idle: soon}, retry, state{}},
		{"unavailable, ended", ended, state{}, streamEnd{err: errUnavailable, idle: soon}, retry, state{}},
		{"unavailable for long", ended, state{}, streamEnd{err: errUnavailable, idle: soon + 1}, reopen,
			state{deleted: true}},
		{"unavailable, standby", running, state{}, streamEnd{err: errUnavailable, standby: true, idle: soon + 1}, retry,
			state{}},

		// Streams that end well.
		{"all without following", once, state{}, streamEnd{err: io.EOF}, stop, state{clean: true, extent: readAll}},
		{"all of an ended one without following", onceEnded, state{}, streamEnd{err: io.EOF}, stop,
			state{clean: true, extent: readAll}},
		{"all", atKnownEnd, state{}, streamEnd{err: io.EOF}, stop, state{clean: true, extent: readAll}},
		{"new lines at the end", endedWithLines, state{emptyEnd: true}, streamEnd{err: io.EOF}, reopen,
			state{clean: true}},
		{"inside a line", unfinished, state{}, streamEnd{err: io.EOF}, reopen, state{clean: true, emptyEnd: true}},
		{"no line", ended, state{}, streamEnd{err: io.EOF}, reopen, state{clean: true, emptyEnd: true}},
		{"no line again", ended, state{emptyEnd: true}, streamEnd{err: io.EOF}, stop,
			state{clean: true, emptyEnd: true, extent: readNothing}},
		{"no line of the previous one", previous, state{emptyEnd: true}, streamEnd{err: io.EOF}, stop,
			state{clean: true, emptyEnd: true, extent: readAll}},
		{"still running", running, state{}, streamEnd{err: io.EOF, idle: late}, retry, state{clean: true}},
		{"still running, at the known end", attempt{state: instanceRunning, follow: true, reachedKnownEnd: true},
			state{}, streamEnd{err: io.EOF}, retry, state{clean: true}},
		{"still running, after new lines", withLines, state{}, streamEnd{err: io.EOF}, resume, state{clean: true}},

		// Streams that break.
		{"closed before it was open", attempt{openFailed: true}, state{}, streamEnd{err: io.EOF}, retry, state{}},
		{"rotated", running, state{clean: true}, streamEnd{err: errRotated, idle: late}, reopenNewFile,
			state{rotated: true}},
		{"after a rotation", running, state{rotated: true}, streamEnd{err: errReset}, retry, state{}},
		{"broken", running, state{clean: true, emptyEnd: true}, streamEnd{err: errReset, idle: retryPeriod}, retry,
			state{}},
		{"broken for long", running, state{}, streamEnd{err: errReset, idle: late}, warnAndRetry, state{warned: true}},
		{"warned before", running, state{warned: true}, streamEnd{err: errReset, idle: late}, retry,
			state{warned: true}},
		{"warned before new lines", withLines, state{warned: true}, streamEnd{err: errReset}, retry, state{}},
		{"broken for long without following", once, state{}, streamEnd{err: errReset, idle: late}, fail, state{}},
		{"broken without following", once, state{}, streamEnd{err: errReset, idle: retryPeriod}, retry, state{}},
		{"other instance", running, state{clean: true}, streamEnd{err: errOtherInstance, idle: late}, retry,
			state{clean: true}},
		{"other instance after new lines", withLines, state{clean: true}, streamEnd{err: errOtherInstance}, resume,
			state{clean: true}},
		{"other instance after a break", withLines, state{}, streamEnd{err: errOtherInstance}, retry, state{}},
		{"pod not found", running, state{clean: true}, streamEnd{err: notFound, idle: late}, retry, state{clean: true}},
		{"no file after the end", running, state{clean: true}, streamEnd{err: errNoLogFile}, retry, state{clean: true}},
		{"unavailable after the end", running, state{clean: true}, streamEnd{err: errUnavailable}, retry,
			state{clean: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.before.attempt, c.after.attempt = c.last, c.last
			after, do := next(c.before, c.end)
			if do != c.do || after != c.after {
				t.Errorf("got action %d and %+v\nwant action %d and %+v", do, after, c.do, c.after)
			}
		})
	}
}

// A reader is resumed if its instance may have more lines than it has read.
func TestHasMore(t *testing.T) {
	states := []instanceState{instanceRunning, instanceEnded, instancePrevious}
	for extent, want := range map[extent]string{
		readPart: "[true true true]", readNothing: "[true false true]",
		readAll: "[true false false]", readFinal: "[false false false]",
	} {
		var got []bool
		for _, s := range states {
			got = append(got, (&reader{state: state{extent: extent}}).hasMore(s))
		}
		if fmt.Sprint(got) != want {
			t.Errorf("extent %d: got %v, want %s", extent, got, want)
		}
	}
}
