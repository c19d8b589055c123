package logs

import (
	"context"
	"errors"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// attempt is one stream of a reader: the request and the result.
type attempt struct {
	state    instanceState // of the instance, when the stream was requested
	follow   bool          // include lines that are not written yet
	markOnly bool          // record lines without passing them on
	reopened bool          // the reader had an earlier stream

	openFailed      bool  // the stream could not be opened
	newLines        int64 // number of lines that no earlier stream had
	reachedKnownEnd bool  // the stream repeated the last known line
	unfinished      bool  // the stream ended inside a line; the reader holds its beginning
}

// endedWell reports whether err is the normal end of the stream. If the server closes a connection before it answers,
// the error of net/http also wraps io.EOF.
func (a *attempt) endedWell(err error) bool { return !a.openFailed && errors.Is(err, io.EOF) }

// readStream reads one stream to its end. If the log can no longer be requested, it reads the standby stream. The
// error is io.EOF, or the reason why the stream broke.
func (r *reader) readStream(ctx context.Context, a *attempt, w *containerWatch) error {
	if a.state == instancePrevious && a.follow && r.progress.pos.begun() && !r.checkedMisread {
		r.checkMisread(ctx)
	}
	opts := r.request(a.state, a.follow)
	if a.state == instanceGone || r.state.deleted {
		body := r.standby.take()
		if body == nil {
			return errLogGone
		}
		r.debug(r.log.name() + ": the log is gone; reading the rest from a stream that was opened earlier")
		return r.copyLines(ctx, body, opts, r.newDedup(a, instanceGone, w))
	}
	body, err := r.log.open(ctx, opts)
	if err != nil {
		a.openFailed = true
		return err
	}
	if opts.Follow {
		stop := r.standby.prepare(ctx, w, func() (io.ReadCloser, error) {
			o := *opts
			if from := r.standby.from.Load(); from > 0 {
				o.SinceTime, o.TailLines = wholeSecond(from), nil
			}
			return r.log.open(ctx, &o)
		})
		defer stop()
	}
	return r.copyLines(ctx, body, opts, r.newDedup(a, a.state, w))
}

// request returns the options for a stream of the unread lines. The API accepts only whole seconds.
func (r *reader) request(state instanceState, follow bool) *corev1.PodLogOptions {
	opts := r.first
	if pos := &r.progress.pos; pos.begun() {
		opts = corev1.PodLogOptions{SinceTime: wholeSecond(pos.base)}
	}
	opts.Follow = follow && state == instanceRunning
	opts.Previous = state == instancePrevious
	return &opts
}

// wholeSecond returns a time rounded down to a second, in the API's type.
func wholeSecond(ns int64) *metav1.Time {
	t := metav1.NewTime(time.Unix(ns/second, 0))
	return &t
}

// copyLines passes on a stream's new lines until the stream ends. It closes body.
func (r *reader) copyLines(ctx context.Context, body io.ReadCloser, opts *corev1.PodLogOptions, to *dedup) error {
	defer func() { _ = body.Close() }()
	from := io.Reader(body)
	if opts.Follow {
		stream := r.detectRotation(ctx, body, opts.SinceTime)
		defer to.closeWhenReplaced(stream)()
		from = stream
	}
	if opts.TailLines != nil {
		r.progress.pos.partial = true
	}
	lines := newScanner(from, opts.SinceTime != nil, r.to.idle)
	for {
		p, err := lines.next()
		if err != nil {
			return to.finish(ctx, lines, opts.Follow, err)
		}
		if err := to.pass(ctx, p); err != nil {
			return err
		}
	}
}
