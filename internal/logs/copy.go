package logs

import (
	"context"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// CopyCluster is what Copy asks of a cluster.
type CopyCluster interface {
	Streamer
	podFinder
}

// Copy writes the log of the newest instance of a pod's container to out, until that instance has ended: each line once, however often the
// stream breaks. say gets what may be missing, and why the log cannot be read for a longer time. An error of out is
// wrapped and returned; else there is one only where ctx ends or the user may not read logs.
func Copy(ctx context.Context, cluster CopyCluster, p *corev1.Pod, container string, to CopySink) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := newWitness(func(ctx context.Context) (view, error) { return ask(ctx, cluster, p, container) })
	w.tell(look(p, container))
	r := &reader{
		streams: cluster, namespace: p.Namespace, pod: p.Name, container: container, instance: w.now().current, follow: true, asks: true,
		to: &lineWriter{out: &output{w: to.Out, fail: cancel}, format: plain{}}, slots: newSlots(1), ids: newHasher(), say: func(string) {}, warn: to.Say,
	}
	return r.read(ctx, w)
}

// CopySink takes what Copy has to give.
type CopySink struct {
	Out io.Writer
	Say func(string)
}

// plain is the format of lines as they are.
type plain struct{}

func (plain) Line(dst []byte, _ time.Time, text []byte) []byte {
	return append(append(dst, text...), '\n')
}
func (plain) Begin(dst []byte, _ time.Time) []byte { return dst }
func (plain) Part(dst, text []byte) []byte         { return append(dst, text...) }
func (plain) End(dst []byte) []byte                { return append(dst, '\n') }
