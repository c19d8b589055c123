package logs

import (
	"context"
	"io"

	corev1 "k8s.io/api/core/v1"
)

// Streamer opens log streams.
type Streamer interface {
	StreamLogs(ctx context.Context, ns, pod string, opts *corev1.PodLogOptions) (io.ReadCloser, error)
}

// containerLog requests the log of one container. The API identifies containers, not their instances. The container's
// state and PodLogOptions.Previous determine whose log the API returns.
type containerLog struct {
	streams                   Streamer
	slots                     slots
	namespace, pod, container string
	stream                    string // corev1.LogStreamStdout, LogStreamStderr, or "" for both
}

// slots limits the number of streams that are being opened at the same time. Peeks have their own slots, so that they
// do not delay readers.
type slots struct{ open, peek chan struct{} }

func newSlots(n int) slots {
	return slots{make(chan struct{}, n), make(chan struct{}, max(1, n/8))}
}

// name returns the log's name for messages.
func (l *containerLog) name() string { return l.pod + "/" + l.container }

// open opens a stream to read.
func (l *containerLog) open(ctx context.Context, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	return l.request(ctx, l.slots.open, opts)
}

// peek opens a stream to look at a few lines.
func (l *containerLog) peek(ctx context.Context, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	return l.request(ctx, l.slots.peek, opts)
}

func (l *containerLog) request(
	ctx context.Context, slot chan struct{}, opts *corev1.PodLogOptions,
) (io.ReadCloser, error) {
	opts.Container, opts.Timestamps = l.container, true
	if l.stream != "" && opts.TailLines == nil { // the API server refuses both; only peeks have the limit
		opts.Stream = &l.stream
	}
	select {
	case slot <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-slot }()
	return l.streams.StreamLogs(ctx, l.namespace, l.pod, opts)
}
