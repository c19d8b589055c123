// Package logs reads the logs of all containers of an app. It shows each line once, even if streams break.
//
// A reader reads the log of one container instance (reader.go). It opens one stream after the other (attempt.go). A
// pure function decides what the reader does after the end of a stream (next.go). The reader splits each stream into
// lines (scan.go). It drops lines that an earlier stream had (dedup.go), by its position in the log (position.go,
// overlap.go).
//
// The kubelet and the API can end a stream in the wrong place, or serve the wrong log. rotation.go detects a stream
// that stays in a rotated file. standby.go keeps a log readable while its Pod is being deleted. handover.go returns
// lines that belong to a later instance.
//
// With Follow, one watch on the app's Pods feeds a tail for each container (follow.go, tail.go, watch.go), and Run
// writes lines as they come (output.go). Without Follow, Run merges the lines of all readers by time (collect.go,
// merge.go). Stream reads a single container that runs to its end (stream.go).
package logs

import (
	"context"
	"errors"
	"io"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/rollout"
)

// Cluster is the part of a cluster's API that Run uses.
type Cluster interface {
	Streamer
	Observe(ctx context.Context, ns, app, workload string, see func(rollout.Observation) (bool, error)) error
	podFinder
	GetCronJob(ctx context.Context, ns, name string) (*batchv1.CronJob, error)
	CronRuns(ctx context.Context, cron *batchv1.CronJob) ([]batchv1.Job, error)
	JobWarning(ctx context.Context, ns, job string) (string, error)
}

var _ Cluster = (*k8s.Client)(nil)

// Options select the lines to show.
type Options struct {
	Namespace, App string
	// Workloads are the names of the app's workloads to show. The default is the main one, which has the app's name.
	Workloads []string

	Follow     bool
	Previous   bool
	Tail       int64 // number of last lines of each container; -1 for all
	Lines      LineFilter
	Containers ContainerFilter
}

// Origin is the container that a line comes from.
type Origin struct {
	Pod, Container string
	Revision       string // the Pod's revision of the Deployment, or ""
	Several        bool   // the lines name the container; see namesContainers
}

// Sink receives the lines and messages.
type Sink struct {
	Out io.Writer
	// Format returns the output format for one container's lines.
	Format func(Origin) Format
	// BeforePod is called before the first line of a container's instance is read. again says that the instance may have
	// started after the run. It returns false if the Pod's lines must not be shown. An error ends the run. BeforePod may
	// be nil.
	BeforePod func(ctx context.Context, p *corev1.Pod, again bool) (show bool, err error)
	// Notice is called with the reason why a container has no lines to show.
	Notice func(text string)
	// Warn is called when lines may be missing.
	Warn func(text string)
	// Debug is called with details for troubleshooting.
	Debug func(text string)
}

// Run shows the logs of an app's containers. Without Follow, it shows the existing lines in the order of their times.
// With Follow, it shows lines as they are written, includes new Pods, and returns as soon as ctx ends.
func Run(ctx context.Context, cluster Cluster, o Options, to Sink) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	o.Follow = o.Follow && (o.Lines.Until == 0 || time.Now().UnixNano() < o.Lines.Until)
	s := &session{cluster: cluster, opts: o, sink: to, ids: newHasher(), slots: newSlots(openAtOnce), cancel: cancel}
	show := s.collect
	if o.Follow {
		show = newFollower(s).run
	}
	done := make(chan error, 1)
	go func() { done <- show(ctx) }()
	select {
	case err := <-done:
		return runError(ctx, err)
	case <-ctx.Done(): // a blocked write to Out cannot be interrupted, so Run returns without waiting for it
		return runError(ctx, context.Cause(ctx))
	}
}

// runError returns the error that ended a run. Neither the end of ctx nor the end of the selected lines is an error.
func runError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	if errors.Is(err, errPastUntil) {
		return nil
	}
	return err
}

// openAtOnce is the number of streams that may be opening at the same time.
const openAtOnce = 32

// session is one call of Run.
type session struct {
	opts     Options
	cluster  Cluster
	sink     Sink
	ids      hasher
	slots    slots
	cancel   context.CancelCauseFunc
	notices  notices
	observed bool // the app was observed earlier
	// ofRuns are the containers of the runs of CronJobs that norn manages, by CronJob; see managedContainers.
	ofRuns map[string][]string
}

// reader returns a reader for one instance of a container.
func (s *session) reader(p *corev1.Pod, container, instance string, to receiver) *reader {
	return &reader{
		log: containerLog{
			streams: s.cluster, slots: s.slots, namespace: p.Namespace, pod: p.Name, container: container,
		},
		instance: instance, follow: s.opts.Follow, wanted: s.opts.Lines, to: to, ids: s.ids,
		debug: s.sink.Debug, warn: s.sink.Warn,
	}
}

// firstRequest returns the options for the first stream of an instance that existed before this run.
func (s *session) firstRequest() corev1.PodLogOptions {
	var o corev1.PodLogOptions
	if s.opts.Tail >= 0 {
		o.TailLines = &s.opts.Tail
	}
	if s.opts.Lines.Since > 0 {
		o.SinceTime = wholeSecond(s.opts.Lines.Since)
	}
	return o
}

// beforePod prepares for the lines of a container's instance. It reports whether to show them.
func (s *session) beforePod(ctx context.Context, p *corev1.Pod, again bool) (show bool, err error) {
	if s.sink.BeforePod == nil {
		return true, nil
	}
	return s.sink.BeforePod(ctx, p, again)
}

// watch returns a watch of one container of this Pod. It ignores a later Pod of the same name.
func (s *session) watch(p *corev1.Pod, container string) *containerWatch {
	return watchContainer(s.cluster, p, container)
}
