package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
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
	asks      bool // whether nobody tells the witness how the container is, so that it has to ask
	wanted    Lines
	to        receiver
	opening   chan struct{} // limits how many streams are being opened at once
	ids       hasher
	say       func(string) // what only a debugging user wants to know
	warn      func(string)

	pos     position
	whole   bool  // whether the line being read is one to pass on
	resumed bool  // whether it is one of which a part was passed on from an earlier stream
	dropped int64 // bytes of that part still to come
	held    piece // the beginning of a line with which a stream has ended
	got     int64 // lines of this stream that were new
	spare   spare
}

const (
	shortestWait = 100 * time.Millisecond
	longestWait  = 3 * time.Second
	// patience is how long a log that nobody follows is asked for without a new line before that is an error.
	patience = 25 * time.Second
)

// Errors of one stream, after which another is opened.
var (
	errOtherInstance = errors.New("the container has been started again")
	errQuiet         = errors.New("it fell silent")
	errPast          = errors.New("the lines asked for are passed")
	errGone          = errors.New("the log is gone, or another instance's")
)

// writeError is an error of the receiver, which nothing can mend.
type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// read passes the instance's lines on until it has ended and all are passed on, or it is gone. Without follow it ends with the
// last line that is there now.
func (r *reader) read(ctx context.Context, w *witness) error {
	wait, clean, since, warned := shortestWait, false, time.Now(), false
	defer r.spare.close()
	if r.follow && r.first.TailLines != nil && *r.first.TailLines == 0 {
		r.mark(ctx, w)
	}
	for {
		how := w.now().access(r.instance)
		r.got = 0
		err := r.once(ctx, how, w)
		if errors.Is(err, errGone) {
			if !clean {
				r.warn(fmt.Sprintf("%s: its log broke off before its end: what came after %s may be missing", r.name(), r.when()))
			}
			return nil
		}
		var failed *writeError
		var denied *k8s.DeniedError
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &failed), errors.As(err, &denied):
			return err
		case errors.Is(err, errPast):
			return nil
		}
		clean = errors.Is(err, io.EOF) || clean && k8s.IsNotFound(err)
		if errors.Is(err, io.EOF) && (!r.follow || how != running && r.got == 0) {
			return nil
		}
		if r.got > 0 {
			wait, since, warned = shortestWait, time.Now(), false
		}
		if errors.Is(err, io.EOF) && how != running || errors.Is(err, errQuiet) {
			continue // there may have been more: look again
		}
		if !r.follow && time.Since(since) > patience {
			return err
		}
		if !clean && !warned && time.Since(since) > patience {
			warned = true
			r.warn(fmt.Sprintf("%s: its log cannot be read: %v; trying on", r.name(), err))
		}
		r.say(fmt.Sprintf("%s: the stream ended after %s (%v); it is resumed unless the container has ended", r.name(), r.when(), err))
		if clean && r.got > 0 { // the container may just have ended, and its log with the pod be there for a moment only
			continue
		}
		w.wait(ctx, wait)
		if r.asks || k8s.IsNotFound(err) || w.now().access(r.instance) == running && !clean {
			w.refresh(ctx)
		}
		wait = min(2*wait, longestWait)
	}
}

// mark takes the last line there is for the position to begin from, and passes it not on: of a log from whose end on is read, a stream that
// breaks before the first new line could not be resumed otherwise.
func (r *reader) mark(ctx context.Context, w *witness) {
	one := int64(1)
	r.follow, r.marking, r.first.TailLines = false, true, &one
	err := r.once(ctx, w.now().access(r.instance), w)
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
	return time.Unix(0, r.pos.newest).UTC().Format("15:04:05.000Z")
}

// options ask for what has not been read.
func (r *reader) options(how access) *corev1.PodLogOptions {
	opts := r.first
	if r.pos.begun() {
		opts = corev1.PodLogOptions{SinceTime: wholeSecond(r.pos.base)}
	}
	opts.Container, opts.Timestamps = r.container, true
	opts.Follow = r.follow && how == running
	opts.Previous = how == previous
	return &opts
}

// wholeSecond is what the API takes for a time.
func wholeSecond(ns int64) *metav1.Time {
	t := metav1.NewTime(time.Unix(ns/second, 0))
	return &t
}

// once reads one stream to its end, the spare one where no other can be had; the error is io.EOF, or why it broke.
func (r *reader) once(ctx context.Context, how access, w *witness) error {
	opts := r.options(how)
	if how == unreachable {
		body := r.spare.take()
		if body == nil {
			return errGone
		}
		return r.scan(ctx, body, opts, w)
	}
	body, err := r.open(ctx, opts)
	if err != nil {
		return err
	}
	if opts.Follow {
		stop := r.spare.prepare(ctx, w, func() (io.ReadCloser, error) {
			o := *opts
			if from := r.spare.from.Load(); from > 0 {
				o.SinceTime, o.TailLines = wholeSecond(from), nil
			}
			return r.open(ctx, &o)
		})
		defer stop()
	}
	return r.scan(ctx, body, opts, w)
}

// scan passes a stream's lines on, to its end.
func (r *reader) scan(ctx context.Context, body io.ReadCloser, opts *corev1.PodLogOptions, w *witness) error {
	defer func() { _ = body.Close() }()
	from := io.Reader(body)
	if opts.Follow {
		from = &settling{body: body, opened: time.Now()}
	}
	s := newScanner(from, opts.SinceTime != nil || opts.SinceSeconds != nil, r.to.idle)
	seen := r.pos.from()
	for {
		p, err := s.next()
		if err != nil {
			return r.ended(err, s, func(p piece) error {
				if !opts.Follow {
					return r.pass(ctx, p, &seen, w)
				}
				if p.begin { // it comes again, whole, unless the rest of it is in another file
					r.held = piece{at: p.at, text: slices.Clone(p.text), begin: true}
				}
				return nil
			})
		}
		if err := r.pass(ctx, p, &seen, w); err != nil {
			return err
		}
	}
}

func (r *reader) open(ctx context.Context, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	select {
	case r.opening <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-r.opening }()
	return r.streams.StreamLogs(ctx, r.namespace, r.pod, opts)
}

// pass passes a piece on, unless it is known.
func (r *reader) pass(ctx context.Context, p piece, seen *overlap, w *witness) error {
	if p.begin {
		if err := r.begin(ctx, &p, seen, w); err != nil {
			return err
		}
	}
	if !r.whole {
		return nil
	}
	if n := min(r.dropped, int64(len(p.text))); n > 0 {
		r.dropped -= n
		p.text = p.text[n:]
	}
	if r.resumed {
		if len(p.text) == 0 { // nothing of it was missing, so far
			if p.end {
				r.pos.passed = -1
			}
			return nil
		}
		p.begin, r.resumed = true, false
		r.got++
	}
	if r.pos.passed >= 0 {
		r.pos.passed += int64(len(p.text))
	}
	if p.end {
		r.pos.passed = -1
	}
	return r.to.take(p)
}

// begin decides on a line by its first piece.
func (r *reader) begin(ctx context.Context, p *piece, seen *overlap, w *witness) error {
	id := r.ids.id(p.at, p.text)
	v := seen.judge(p.at, id)
	// A line that was being written when the file was rotated is in two parts: one at the end of the old file, one at the beginning of the new.
	held := r.held
	r.held = piece{}
	rotated := seen.gap
	if rotated {
		seen.gap = false
		if err := r.gap(ctx, p.at, w); err != nil {
			return err
		}
	}
	r.whole, r.dropped, r.resumed = v != known, 0, v == halfKnown
	switch v {
	case known:
		return nil
	case halfKnown:
		r.dropped = r.pos.passed
		return nil
	case fresh:
	}
	r.pos.see(p.at, id)
	r.spare.from.Store(r.pos.base)
	r.got++
	if !p.end {
		r.pos.passed = 0
	}
	if r.wanted.Until != 0 && p.at > r.wanted.Until {
		return errPast
	}
	r.whole = r.wanted.line(p.at, p.text) && !r.marking
	if rotated && len(held.text) > 0 && r.whole {
		p.begin = false
		return r.to.take(held)
	}
	return nil
}

// gap is called where a stream that was opened again begins with a line that does not follow a known one: the log was rotated
// meanwhile, or the stream is another instance's.
func (r *reader) gap(ctx context.Context, at int64, w *witness) error {
	before := w.now().access(r.instance)
	w.wait(ctx, shortestWait)
	w.refresh(ctx)
	if w.now().access(r.instance) != before {
		return errOtherInstance
	}
	if at-r.pos.newest > int64(time.Second) {
		r.warn(fmt.Sprintf("%s: its log was rotated while the stream was broken: lines between %s and %s may be missing", r.name(), r.when(), time.Unix(0, at).UTC().Format("15:04:05.000Z")))
	}
	return nil
}

// ended takes care of what a stream's end leaves behind.
func (r *reader) ended(err error, s *scanner, leftover func(piece) error) error {
	if errors.Is(err, errRemark) {
		r.say(fmt.Sprintf("%s: %s", r.name(), s.remark))
	}
	if p, ok := s.rest(); ok && (errors.Is(err, io.EOF) || errors.Is(err, errQuiet)) {
		if passErr := leftover(p); passErr != nil {
			return passErr
		}
	}
	if flushErr := r.to.flush(); flushErr != nil {
		return flushErr
	}
	return err
}
