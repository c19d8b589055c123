package logs

import (
	"context"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// StreamCluster is the part of a cluster's API that Stream uses.
type StreamCluster interface {
	Streamer
	podFinder
}

// StreamSink receives the lines and messages of Stream.
type StreamSink struct {
	Out io.Writer
	// Stream is corev1.LogStreamStdout or LogStreamStderr, if the cluster can tell them apart, or "" for both.
	Stream string
	// Warn is called when lines may be missing, or when the log cannot be read for a while.
	Warn func(text string)
}

// Stream writes the log of the newest instance of a Pod's container to to.Out until that instance has ended. It writes
// each byte once, even if connections break, and adds none. It returns an error if Out is not writable, if ctx ends, or
// if the user is not allowed to read logs. It retries after other failures.
func Stream(ctx context.Context, cluster StreamCluster, p *corev1.Pod, container string, to StreamSink) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := watchContainer(cluster, p, container)
	w.polled = true
	w.update(viewOf(p, container))
	r := &reader{
		log: containerLog{
			streams: cluster, slots: newSlots(1), namespace: p.Namespace, pod: p.Name, container: container,
			stream: to.Stream,
		},
		instance: w.view().current, follow: true, ids: newHasher(),
		to:    &lineWriter{out: &output{w: to.Out, fail: cancel}, format: plain{}, raw: true},
		debug: func(string) {}, warn: to.Warn,
	}
	return r.read(ctx, w)
}

// plain formats lines without additions.
type plain struct{}

func (plain) Line(dst []byte, _ time.Time, text []byte) []byte {
	return append(append(dst, text...), '\n')
}
func (plain) Begin(dst []byte, _ time.Time) []byte { return dst }
func (plain) Part(dst, text []byte) []byte         { return append(dst, text...) }
func (plain) End(dst []byte) []byte                { return append(dst, '\n') }
