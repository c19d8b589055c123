// Package logs follows the containers of all pods of an app.
package logs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s"
)

// Cluster is what logs asks of a cluster.
type Cluster interface {
	Observe(ctx context.Context, ns, app string, see func(k8s.Observation) (bool, error)) error
	StreamLogs(ctx context.Context, ns, pod string, opts *corev1.PodLogOptions) (io.ReadCloser, error)
}

var _ Cluster = (*k8s.Client)(nil)

// Options say which lines are wanted.
type Options struct {
	Namespace, App string

	Follow   bool
	Previous bool
	Tail     int64 // last lines of each container; -1 for all
	Since    time.Duration
}

// Sink takes the lines, from one goroutine at a time.
type Sink struct {
	// Line gets a line without its end.
	Line func(pod, container, text string) error
	// Notice gets what there is to say where a container has no lines to show.
	Notice func(text string)
}

// Run shows the logs of every container of app. Without Follow it ends with the last line that is there now; with
// it, it takes up pods as they appear and ends when ctx does.
func Run(ctx context.Context, cluster Cluster, o Options, to Sink) error {
	f := &follower{cluster: cluster, options: o, sink: to, seen: map[string]bool{}, said: map[string]bool{}}
	var streams sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := cluster.Observe(ctx, o.Namespace, o.App, func(seen k8s.Observation) (bool, error) {
		if len(seen.Pods) == 0 {
			if seen.Deployment == nil && !f.looked {
				return true, &NotFoundError{o.Namespace, o.App}
			}
			f.notice(noPods(o.App, seen))
		}
		f.looked = true
		slices.SortFunc(seen.Pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
		for _, p := range seen.Pods {
			for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
				instance := fmt.Sprintf("%s/%s/%d", p.UID, s.Name, s.RestartCount)
				switch {
				case f.seen[instance]:
				case s.State.Running == nil && s.State.Terminated == nil && s.LastTerminationState.Terminated == nil:
					f.notice(notRunning(p.Name, s))
				default:
					f.seen[instance] = true
					first := !f.seen[string(p.UID)+s.Name]
					f.seen[string(p.UID)+s.Name] = true
					read := func() {
						if err := f.stream(ctx, p.Name, s.Name, first); err != nil {
							cancel(err)
						}
					}
					if o.Follow {
						streams.Go(read)
					} else {
						read()
					}
				}
			}
		}
		return !o.Follow, nil
	})
	streams.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

type follower struct {
	cluster Cluster
	looked  bool // whether the first look has been taken
	options Options
	sink    Sink
	seen    map[string]bool // container instances whose stream was begun
	said    map[string]bool // notices, each given once

	mu sync.Mutex
}

func (f *follower) notice(text string) {
	if text == "" || f.said[text] {
		return
	}
	f.said[text] = true
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sink.Notice(text)
}

// stream copies one container instance's log. first says that it is the pod's first instance seen here, to which
// --tail and --since apply; a restarted container is shown from its beginning.
func (f *follower) stream(ctx context.Context, pod, container string, first bool) error {
	opts := &corev1.PodLogOptions{Container: container, Follow: f.options.Follow, Previous: f.options.Previous}
	if first && f.options.Tail >= 0 {
		opts.TailLines = &f.options.Tail
	}
	if first && f.options.Since > 0 {
		secs := int64(f.options.Since.Seconds())
		opts.SinceSeconds = &secs
	}
	body, err := f.cluster.StreamLogs(ctx, f.options.Namespace, pod, opts)
	if err != nil {
		if ctx.Err() != nil || k8s.IsNotFound(err) { // the pod went meanwhile
			return nil
		}
		var denied *k8s.DeniedError
		if errors.As(err, &denied) {
			return err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.sink.Notice(fmt.Sprintf("%s: %v", pod, err))
		return nil
	}
	defer func() { _ = body.Close() }()
	r := bufio.NewReader(body)
	for {
		line, err := r.ReadString('\n')
		if line != "" {
			f.mu.Lock()
			sinkErr := f.sink.Line(pod, container, strings.TrimSuffix(line, "\n"))
			f.mu.Unlock()
			if sinkErr != nil {
				return fmt.Errorf("write the log: %w", sinkErr)
			}
		}
		if err != nil {
			return nil //nolint:nilerr // the stream's end; the watch says whether there is more
		}
	}
}

// NotFoundError says that there is no such app in the cluster.
type NotFoundError struct{ Namespace, App string }

// Error names app and namespace.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("there is no Deployment %s in namespace %s, and no pod of it", e.App, e.Namespace)
}

// Hint is what to do about it.
func (e *NotFoundError) Hint() string {
	return "check the name and --namespace, or make it with norn forge"
}

// noPods says why there is nothing to show.
func noPods(app string, o k8s.Observation) string {
	d := o.Deployment
	switch {
	case d == nil:
		return fmt.Sprintf("there is no Deployment %s here", app)
	case d.Spec.Paused:
		return app + " has not been deployed yet"
	case d.Spec.Replicas != nil && *d.Spec.Replicas == 0:
		return app + " is scaled to 0 pods"
	default:
		return app + " has no pods yet"
	}
}

func notRunning(pod string, s corev1.ContainerStatus) string {
	if w := s.State.Waiting; w != nil && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
		return fmt.Sprintf("%s is not running: %s %s", pod, w.Reason, w.Message)
	}
	return ""
}
