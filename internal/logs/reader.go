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
	whole   bool          // whether the line being read is one to pass on
	resumed bool          // whether it is one of which a part was passed on from an earlier stream
	dropped int64         // bytes of that part still to come
	held    piece         // the beginning of a line with which a stream has ended
	doubt   *piece        // a line that is decided on with the next
	quiet   time.Duration // how long a stream may be silent before it is doubted
	got     int64         // lines of this stream that were new
	spare   spare

	have    extent
	deleted bool // whether the kubelet has said that it has deleted the log
}

// extent is how much of an instance's log has been read.
type extent int

const (
	some   extent = iota
	all           // to the end that there was when the container had ended
	enough        // all that is wanted
)

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
	r.quiet = silence
	r.have = some
	defer r.spare.close()
	if r.follow && !r.pos.begun() && r.first.TailLines != nil && *r.first.TailLines == 0 {
		r.mark(ctx, w)
	}
	for {
		how := w.now().access(r.instance)
		r.got = 0
		err := r.once(ctx, how, w)
		if errors.Is(err, errGone) {
			switch {
			case clean:
			case r.deleted && !r.pos.begun():
				r.warn(r.name() + ": the kubelet has deleted this log")
			default:
				r.warn(fmt.Sprintf("%s: its log broke off before its end: what came after %s may be missing", r.name(), r.when()))
			}
			if r.deleted { // for good
				r.have = enough
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
			r.have = enough
			return nil
		}
		if errors.Is(err, errDeleted) && (how != running || !r.follow || r.spare.there()) {
			r.deleted = true
			continue
		}
		clean = errors.Is(err, io.EOF) || clean && (k8s.IsNotFound(err) || errors.Is(err, errDeleted))
		if errors.Is(err, io.EOF) && (!r.follow || how != running && r.got == 0) {
			r.have = all
			return nil
		}
		if r.got > 0 {
			wait, since, warned, r.quiet = shortestWait, time.Now(), false, silence
		} else if errors.Is(err, errQuiet) { // the doubt was in vain
			r.quiet = min(2*r.quiet, longestSilence)
		}
		if errors.Is(err, errQuiet) {
			r.say(fmt.Sprintf("%s: the stream has stayed in a file that was rotated away, after %s; the new one is read", r.name(), r.when()))
			continue
		}
		if errors.Is(err, io.EOF) && how != running {
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
	return clockTime(r.pos.newest)
}

func clockTime(ns int64) string { return time.Unix(0, ns).UTC().Format("15:04:05.000Z") }

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
	if how == unreachable || r.deleted {
		body := r.spare.take()
		if body == nil {
			return errGone
		}
		r.say(r.name() + ": the log is gone; what is left is read from a stream that was opened before")
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
		from = &settling{body: body, tip: r.pos.tip, wait: r.quiet, look: func(read tip) ending { return r.look(ctx, read, opts.SinceTime) }}
	}
	s := newScanner(from, opts.SinceTime != nil || opts.SinceSeconds != nil, r.to.idle)
	seen := r.pos.from()
	for {
		p, err := s.next()
		if err != nil {
			if doubtErr := r.endInDoubt(ctx, err, &seen, w); doubtErr != nil {
				return doubtErr
			}
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

// look asks how the log ends, as far as its newest file tells.
func (r *reader) look(ctx context.Context, read tip, since *metav1.Time) ending {
	one := int64(1)
	body, err := r.open(ctx, &corev1.PodLogOptions{Container: r.container, Timestamps: true, TailLines: &one})
	if err != nil {
		return unknown
	}
	defer func() { _ = body.Close() }()
	p, err := newScanner(body, false, func() error { return nil }).next()
	if err != nil || p.at == 0 {
		return unknown
	}
	from := int64(0)
	if since != nil {
		from = since.UnixNano()
	}
	return read.compare(p.at, r.ids.id(p.at, p.text), from)
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
	if r.doubt != nil {
		if seen.dispel(p.at, id) {
			r.doubt = nil
		} else if err := r.takeDoubtful(ctx, seen, w); err != nil {
			return err
		}
	}
	v := seen.judge(p.at, id)
	if seen.again {
		seen.again = false
		r.warn(fmt.Sprintf("%s: its log was rotated more than once before it was read: lines before %s may be missing (is what reads them too slow?)", r.name(), clockTime(p.at)))
	}
	if v == doubtful && p.end {
		r.doubt, r.whole = &piece{at: p.at, text: slices.Clone(p.text), begin: true, end: true}, false
		return nil
	}
	return r.decided(ctx, p, id, v, seen, w)
}

// takeDoubtful passes on the line that was in doubt.
func (r *reader) takeDoubtful(ctx context.Context, seen *overlap, w *witness) error {
	p := r.doubt
	r.doubt = nil
	id := r.ids.id(p.at, p.text)
	if seen.how == undecided {
		seen.decide(p.at, id)
	}
	if err := r.decided(ctx, p, id, fresh, seen, w); err != nil || !r.whole {
		return err
	}
	return r.to.take(*p)
}

// endInDoubt decides on a line after which the stream has ended: it was never seen, but comes again where the same is asked for again.
func (r *reader) endInDoubt(ctx context.Context, ended error, seen *overlap, w *witness) error {
	if r.doubt == nil {
		return nil
	}
	if seen.how == undecided && !errors.Is(ended, io.EOF) {
		r.doubt = nil
		return nil
	}
	return r.takeDoubtful(ctx, seen, w)
}

// decided takes note of a line that begins.
func (r *reader) decided(ctx context.Context, p *piece, id lineID, v verdict, seen *overlap, w *witness) error {
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
	case fresh, doubtful:
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
		r.warn(fmt.Sprintf("%s: its log was rotated while the stream was broken: lines between %s and %s may be missing", r.name(), r.when(), clockTime(at)))
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
