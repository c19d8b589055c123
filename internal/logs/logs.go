// Package logs reads the logs of all containers of an app: each line once, however often a stream breaks.
//
// A reader reads one container instance, by a position that is data (position.go), through as many streams as that takes
// (reader.go); a scanner cuts a stream into lines (scan.go). With Follow, one watch on the app's pods tells a tail for each container which
// instances there are, and lines are written as they come (follow.go, output.go). Without, the readers' lines are merged by
// their time (merge.go). Copy is the same for one container that runs to its end.
package logs

import (
	"context"
	"errors"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"

	batchv1 "k8s.io/api/batch/v1"

	"norn/pkg/k8s"

	"norn/pkg/k8s/rollout"
)

// Cluster is what logs asks of a cluster.
type Cluster interface {
	Streamer
	Observe(ctx context.Context, ns, app string, see func(rollout.Observation) (bool, error)) error
	podFinder
	GetCronJob(ctx context.Context, ns, name string) (*batchv1.CronJob, error)
}

var _ Cluster = (*k8s.Client)(nil)

// Options say which lines are wanted.
type Options struct {
	Namespace, App string

	Follow   bool
	Previous bool
	Tail     int64 // last lines of each container; -1 for all
	Lines
	Containers
}

// Origin is where lines come from.
type Origin struct {
	Pod, Container string
	Revision       string // the Deployment's revision that the pod is of, or ""
	Several        bool   // whether the pod has other containers
}

// Sink takes the lines.
type Sink struct {
	Out io.Writer
	// Format returns what makes the output of one container's lines.
	Format func(Origin) Format
	// Notice gets what there is to say where a container has no lines to show.
	Notice func(text string)
	// Warn gets what may be missing.
	Warn func(text string)
	// Debug gets what is of no concern unless something is wrong.
	Debug func(text string)
}

// Run shows the logs of an app's containers. Without Follow it ends with the last line that is there now, and lines are in the order
// of their times; with it, lines come as they are written, pods are taken up as they appear, and it ends when ctx does, at once.
func Run(ctx context.Context, cluster Cluster, o Options, to Sink) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &session{cluster: cluster, Options: o, sink: to, ids: newHasher(), slots: newSlots(openAtOnce), cancel: cancel}
	how := s.collect
	if s.Follow = o.Follow && (o.Until == 0 || time.Now().UnixNano() < o.Until); s.Follow {
		how = s.run
	}
	done := make(chan error, 1)
	go func() { done <- how(ctx) }()
	select {
	case err := <-done:
		return outcome(ctx, err)
	case <-ctx.Done(): // a write to a reader that does not read cannot be broken off: it is left behind
		return outcome(ctx, context.Cause(ctx))
	}
}

// outcome is the error that ended a run, if it is one.
func outcome(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	if errors.Is(err, errPast) {
		return nil
	}
	return err
}

// openAtOnce is how many streams are being opened at a time.
const openAtOnce = 32

// session is one run.
type session struct {
	Options
	cluster Cluster
	sink    Sink
	ids     hasher
	slots   slots
	cancel  context.CancelCauseFunc
	notes   notes
	looked  bool // whether the first look has been taken
}

// reader makes the reader of one instance of a container.
func (s *session) reader(p *corev1.Pod, container, instance string, to receiver) *reader {
	return &reader{
		streams: s.cluster, namespace: p.Namespace, pod: p.Name, container: container, instance: instance,
		follow: s.Follow, wanted: s.Lines, to: to, slots: s.slots, ids: s.ids, say: s.sink.Debug, warn: s.sink.Warn,
	}
}

// beginning is what an instance is asked with that was there before this run.
func (s *session) beginning() corev1.PodLogOptions {
	var o corev1.PodLogOptions
	if s.Tail >= 0 {
		o.TailLines = &s.Tail
	}
	if s.Since > 0 {
		o.SinceTime = wholeSecond(s.Since)
	}
	return o
}

// witness asks the cluster about a container of this pod, and no other of the same name.
func (s *session) witness(p *corev1.Pod, container string) *witness {
	return newWitness(func(ctx context.Context) (view, error) { return ask(ctx, s.cluster, p, container) })
}

type podFinder interface {
	FindPod(ctx context.Context, ns, name string) (*corev1.Pod, error)
}

func ask(ctx context.Context, cluster podFinder, p *corev1.Pod, container string) (view, error) {
	now, err := cluster.FindPod(ctx, p.Namespace, p.Name)
	if err != nil {
		return view{}, err
	}
	if now != nil && now.UID != p.UID { // another one took the name
		now = nil
	}
	return look(now, container), nil
}
