package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s"
)

// Streamer opens log streams.
type Streamer interface {
	StreamLogs(ctx context.Context, ns, pod string, opts *corev1.PodLogOptions) (io.ReadCloser, error)
}

// receiver takes the lines of one reader.
type receiver interface {
	// take gets a line, or a part of one. The text is the receiver's only until it returns.
	take(p piece) error
	// idle says that more has to be waited for.
	idle() error
	// flush says that the stream has ended, perhaps in the middle of a line, whose rest will be passed on as one of its own.
	flush() error
}

// reader reads the log of one container instance, each line once, however often the stream breaks.
type reader struct {
	streams   Streamer
	namespace string
	pod       string
	container string
	instance  string               // its container ID
	first     corev1.PodLogOptions // what the beginning is asked with: how many lines, since when
	follow    bool
	marking   bool // whether lines are only to be remembered
	wanted    LineFilter
	to        receiver
	slots     slots
	ids       hasher
	takeOver  func(lineID) bool // takes over what the reader of an earlier instance has read of this one's log, if it has read this line
	say       func(string)      // what only a debugging user wants to know
	warn      func(string)

	trail
	strayed  *trail        // where the reader was in a later instance's log
	verified bool          // whether it is known not to be there now
	whole    bool          // whether the line being read is one to pass on
	resumed  bool          // whether it is one of which a part was passed on from an earlier stream
	dropped  int64         // bytes of that part still to come
	opened   int           // how many streams were
	clean    bool          // whether the last one ended as at the log's end
	stayed   bool          // whether it stayed in a file that was rotated away
	looked   atomic.Uint64 // the line with which the log ended when it was looked at
	vain     lineID        // one of these that was not worth another stream
	got      int64         // lines of this stream that were new
	caught   bool          // whether it came to the last line that is known
	open     bool          // whether it ended with a line that is held
	spare    spare

	have    extent
	deleted bool // whether the kubelet has deleted the log
}

// slots limit how many streams are being opened at once: to be read, and to be looked at.
type slots struct{ open, look chan struct{} }

func newSlots(n int) slots {
	return slots{make(chan struct{}, n), make(chan struct{}, max(1, n/8))}
}

// extent is how much of an instance's log has been read.
type extent int

const (
	some    extent = iota
	nothing        // there was nothing in it, or nothing that is known, though the container had ended: it may have been the next one's
	all            // to the end that there was when the container had ended
	final          // all that is wanted, or that is still to be had
)

const (
	shortestWait = 100 * time.Millisecond
	longestWait  = 3 * time.Second
	// patience is how long a log that nobody follows is asked for without a new line before that is an error.
	patience = 25 * time.Second
)

// Ends of one stream.
var (
	errOtherInstance = errors.New("the container has been started again")
	errQuiet         = errors.New("it stays in an old file")
	errPastUntil     = errors.New("the lines asked for are passed")
	errGone          = errors.New("the log is gone, or another instance's")
	errTaken         = errors.New("its beginning was read as an earlier instance's")
)

// writeError is an error of the receiver, which nothing can mend.
type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// read passes the instance's lines on until it has ended and all are passed on, or it is gone. Without follow it ends with the
// last line that is there now.
func (r *reader) read(ctx context.Context, w *containerWatch) error {
	wait, since, warned := shortestWait, time.Now(), false
	empty := false // whether the last stream ended well with nothing new, at a place that may not be the log's end
	r.have, r.clean = some, false
	defer r.spare.close()
	if r.follow && !r.pos.begun() && r.first.TailLines != nil && *r.first.TailLines == 0 {
		r.mark(ctx, w)
	}
	for {
		how := w.view().stateOf(r.instance)
		r.got = 0
		err := r.once(ctx, how, w)
		switch {
		case errors.Is(err, errGone):
			r.gone()
			return nil
		case errors.Is(err, errTaken): // which may have more to read, and comes first
			return nil
		}
		var failed *writeError
		var denied *k8s.DeniedError
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &failed), errors.As(err, &denied):
			return err
		case errors.Is(err, errPastUntil):
			r.have = final
			return r.to.flush()
		}
		if r.isDeleted(err, how, time.Since(since)) {
			r.deleted = true
			continue
		}
		r.clean = errors.Is(err, io.EOF) || r.clean && endsWell(err)
		if errors.Is(err, io.EOF) && r.isRead(how, empty) {
			return nil
		}
		empty = r.got == 0 && errors.Is(err, io.EOF) && how != instanceRunning
		r.stayed = errors.Is(err, errQuiet)
		if r.got > 0 {
			wait, since, warned = shortestWait, time.Now(), false
		} else if r.stayed {
			r.vain = lineID(r.looked.Load())
		}
		if r.stayed {
			r.say(fmt.Sprintf("%s: the stream has stayed in a file that was rotated away, after %s; the new one is read", r.name(), r.when()))
			continue
		}
		if errors.Is(err, io.EOF) && how != instanceRunning {
			continue // there may have been more: look again
		}
		if !r.follow && time.Since(since) > patience {
			return err
		}
		if !r.clean && !warned && time.Since(since) > patience {
			warned = true
			r.warn(fmt.Sprintf("%s: its log cannot be read: %v; trying on", r.name(), err))
		}
		r.say(fmt.Sprintf("%s: the stream ended after %s (%v); it is resumed unless the container has ended", r.name(), r.when(), err))
		if r.clean && r.got > 0 { // the container may just have ended, and its log with the pod be there for a moment only
			continue
		}
		w.wait(ctx, wait)
		if w.polled || k8s.IsNotFound(err) || w.view().stateOf(r.instance) == instanceRunning && !r.clean {
			w.refresh(ctx)
		}
		wait = min(2*wait, longestWait)
	}
}

// isRead reports whether a stream that ended well has come to the log's end. It may have ended before, as where the kubelet went away behind the API server:
// then it has not shown the last line that is known, unless the log has none, and ends so twice.
func (r *reader) isRead(how instanceState, empty bool) bool {
	if r.follow && (how == instanceRunning || r.got > 0 || r.open || !r.caught && !empty) {
		return false
	}
	r.have = all
	if r.follow && !r.caught && how == instanceEnded {
		r.have = nothing
	}
	return true
}

// gone says what may be missing of a log that cannot be read any more.
func (r *reader) gone() {
	if r.deleted { // for good
		r.have = final
	}
	switch {
	case r.clean:
	case r.deleted && !r.pos.begun():
		r.warn(r.name() + ": the kubelet has deleted this log")
	default:
		r.warn(fmt.Sprintf("%s: its log broke off before its end: what came after %s may be missing", r.name(), r.when()))
	}
}

// isDeleted reports whether an error says that the log is deleted for good. While a log is rotated there is none for a moment, and while the
// container runtime is restarted it names no container.
func (r *reader) isDeleted(err error, how instanceState, after time.Duration) bool {
	gone := errors.Is(err, errNoLogFile)
	if !gone && !errors.Is(err, errUnavailable) {
		return false
	}
	ended := how != instanceRunning || !r.follow
	return gone && (how != instanceRunning || r.spare.there()) || ended && after > longestWait
}

// endsWell reports whether an error is one that follows the end of a log.
func endsWell(err error) bool {
	return k8s.IsNotFound(err) || errors.Is(err, errNoLogFile) || errors.Is(err, errUnavailable) || errors.Is(err, errOtherInstance)
}

// mark takes the last line there is for the position to begin from, and passes it not on: of a log from whose end on is read, a stream that
// breaks before the first new line could not be resumed otherwise.
func (r *reader) mark(ctx context.Context, w *containerWatch) {
	one := int64(1)
	r.follow, r.marking, r.first.TailLines = false, true, &one
	err := r.once(ctx, w.view().stateOf(r.instance), w)
	r.follow, r.marking, r.first.TailLines = true, false, nil
	if !errors.Is(err, io.EOF) {
		r.first.TailLines = new(int64)
	}
}

func (r *reader) name() string { return r.pod + "/" + r.container }

// when is the time of the last line, for people.
func (r *reader) when() string {
	if !r.pos.begun() {
		return "its beginning"
	}
	return clockTime(r.pos.newest)
}

func clockTime(ns int64) string { return time.Unix(0, ns).UTC().Format("15:04:05.000Z") }

// options ask for what has not been read.
func (r *reader) options(how instanceState) *corev1.PodLogOptions {
	opts := r.first
	if r.pos.begun() {
		opts = corev1.PodLogOptions{SinceTime: wholeSecond(r.pos.base)}
	}
	opts.Container, opts.Timestamps = r.container, true
	opts.Follow = r.follow && how == instanceRunning
	opts.Previous = how == instancePrevious
	return &opts
}

// wholeSecond is what the API takes for a time.
func wholeSecond(ns int64) *metav1.Time {
	t := metav1.NewTime(time.Unix(ns/second, 0))
	return &t
}

// once reads one stream to its end, the spare one where no other can be had; the error is io.EOF, or why it broke.
func (r *reader) once(ctx context.Context, how instanceState, w *containerWatch) error {
	if how == instancePrevious && r.pos.begun() && r.follow && !r.verified {
		r.verify(ctx)
	}
	opts := r.options(how)
	if how == instanceGone || r.deleted {
		body := r.spare.take()
		if body == nil {
			return errGone
		}
		r.say(r.name() + ": the log is gone; what is left is read from a stream that was opened before")
		return r.scan(ctx, body, opts, r.passage(instanceGone, w))
	}
	body, err := r.stream(ctx, r.slots.open, opts)
	if err != nil {
		return err
	}
	if opts.Follow {
		stop := r.spare.prepare(ctx, w, func() (io.ReadCloser, error) {
			o := *opts
			if from := r.spare.from.Load(); from > 0 {
				o.SinceTime, o.TailLines = wholeSecond(from), nil
			}
			return r.stream(ctx, r.slots.open, &o)
		})
		defer stop()
	}
	return r.scan(ctx, body, opts, r.passage(how, w))
}

// scan passes a stream's lines on, to its end.
func (r *reader) scan(ctx context.Context, body io.ReadCloser, opts *corev1.PodLogOptions, to *passage) error {
	defer func() { _ = body.Close() }()
	from := io.Reader(body)
	if opts.Follow {
		vain := r.vain
		look := func(read lastRead) logEnd { return r.look(ctx, read, opts.SinceTime, vain) }
		settling := &settling{body: body, tip: r.pos.lastRead, wait: silence, look: look}
		defer to.leave(settling)()
		from = settling
	}
	if opts.TailLines != nil {
		r.pos.partial = true
	}
	s := newScanner(from, opts.SinceTime != nil, r.to.idle)
	for {
		p, err := s.next()
		if err != nil {
			if pendingErr := to.end(ctx, err); pendingErr != nil {
				return pendingErr
			}
			return r.ended(err, s, func(p piece) error { return to.leftover(ctx, p, opts.Follow) })
		}
		if err := to.pass(ctx, p); err != nil {
			return err
		}
	}
}

// ended takes care of what a stream's end leaves behind.
func (r *reader) ended(err error, s *scanner, leftover func(piece) error) error {
	if p, ok := s.rest(); ok && (errors.Is(err, io.EOF) || errors.Is(err, errQuiet)) {
		if passErr := leftover(p); passErr != nil {
			return passErr
		}
	}
	if s.remark != "" { // nor has the stream come to the log's end
		r.caught = false
		r.say(fmt.Sprintf("%s: %s", r.name(), s.remark))
	}
	if flushErr := r.to.flush(); flushErr != nil {
		return flushErr
	}
	return err
}

// stream opens one, when there is a slot.
func (r *reader) stream(ctx context.Context, slot chan struct{}, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	select {
	case slot <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-slot }()
	return r.streams.StreamLogs(ctx, r.namespace, r.pod, opts)
}
