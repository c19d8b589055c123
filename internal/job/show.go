package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/internal/logs"
	"norn/pkg/k8s"
)

// logWait is how long the log of an ended container may pause. A node that dies while it sends a log sends no more, and
// the stream stays open.
const logWait = 10 * time.Second

var (
	errLogStalled = fmt.Errorf("no data for %s", logWait)
	errGivenUp    = errors.New("the other part of the log cannot be shown")
)

// shownPod is a Pod whose container has ended.
type shownPod struct {
	*corev1.Pod
	incomplete bool // part of the container's log was not read
}

// showToEnd copies the log of the container that runs in p, and waits until it has ended.
func showToEnd(
	ctx context.Context, cluster *k8s.Client, r Request, p *corev1.Pod, end target,
) (shownPod, error) {
	waiting, giveUp := context.WithCancel(ctx)
	defer giveUp()
	parts := partsOf(ctx, cluster, r, p, string(end.runs))
	for _, l := range parts {
		reading, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		l.stop = stop
		go func() {
			defer close(l.shown)
			if l.err = show(reading, cluster, r, l); l.err != nil {
				giveUp()
			}
		}()
	}
	ended, err := waitForPod(waiting, cluster, r, end)
	if waiting.Err() != nil { // a part cannot be shown, so the Job ends, and the other part has no more to wait for
		for _, l := range parts {
			l.stop(errGivenUp)
		}
	}
	var showErr error
	incomplete := false
	for _, l := range parts {
		l.out.wait(l.shown, func() { l.stop(errLogStalled) })
		showErr, incomplete = cmp.Or(showErr, l.err), incomplete || l.out.incomplete
	}
	if showErr != nil {
		return shownPod{}, showErr
	}
	return shownPod{ended, incomplete}, err
}

// partOfLog is a container's log, or one of its streams, and where to copy it.
type partOfLog struct {
	pod       *corev1.Pod
	container string
	stream    string // as in logs.StreamSink
	out       *output

	stop  context.CancelCauseFunc
	shown chan struct{} // closed when it has been copied
	err   error         // then set
}

// partsOf returns the log of a container or, if there is a place for each and the cluster can tell them apart, its two
// streams.
func partsOf(ctx context.Context, cluster *k8s.Client, r Request, p *corev1.Pod, container string) []*partOfLog {
	part := func(stream string, to io.Writer) *partOfLog {
		return &partOfLog{
			pod: p, container: container, stream: stream, out: &output{to: to}, shown: make(chan struct{}),
		}
	}
	if r.Err == nil || !cluster.SplitsLogs(ctx, p.Namespace, p.Name, container) {
		return []*partOfLog{part("", r.Out)}
	}
	return []*partOfLog{part(corev1.LogStreamStdout, r.Out), part(corev1.LogStreamStderr, r.Err)}
}

// show copies a log to its end. If it cannot read the log, it warns and marks l.out as incomplete.
func show(ctx context.Context, cluster *k8s.Client, r Request, l *partOfLog) error {
	err := logs.Stream(ctx, cluster, l.pod, l.container, logs.StreamSink{Out: l.out, Stream: l.stream, Warn: r.Say})
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errGivenUp): // the other part's error ends the run
	case errors.Is(cause, errLogStalled):
		l.out.incomplete = true
		r.Say(fmt.Sprintf("cannot read the end of the Pod's log: %v", cause))
	case cause != nil:
		return fmt.Errorf("the Job was interrupted and deleted: %w", cause)
	case l.out.err != nil: // nobody reads the output any more
		return fmt.Errorf("the Job was interrupted and deleted: %w", l.out.err)
	case err != nil:
		l.out.incomplete = true
		r.Say(fmt.Sprintf("cannot read the Pod's log: %v", err)) // the Job continues, and run waits for its end
	}
	return nil
}

// output records whether a write failed, to distinguish that from a failed read.
type output struct {
	to         io.Writer
	err        error
	incomplete bool         // the log has more than was written
	steps      atomic.Int64 // number of writes that began plus number of writes that ended
}

// Write implements io.Writer. Writes must not overlap.
func (o *output) Write(p []byte) (int, error) {
	o.steps.Add(1)
	defer o.steps.Add(1)
	n, err := o.to.Write(p)
	o.err = err
	return n, err
}

// wait waits until done is closed. If there is nothing to write for logWait, it calls stop, which must end the writing.
// A write that waits for a slow reader may take any time.
func (o *output) wait(done <-chan struct{}, stop func()) {
	tick := time.NewTicker(logWait)
	defer tick.Stop()
	for before := o.steps.Load(); ; {
		select {
		case <-done:
			return
		case <-tick.C:
			now := o.steps.Load()
			writing := now%2 == 1
			if now == before && !writing {
				stop()
				<-done
				return
			}
			before = now
		}
	}
}
