package logs

import (
	"context"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// view is what is known of a container: which instances of it have a log that can be read.
type view struct {
	current  string // container ID of the newest instance that has begun, or ""
	ended    bool   // whether that one has ended
	previous string // the one before it, whose log the kubelet keeps; or ""
	over     int64  // when the previous one ended, Unix nanoseconds of a whole second; 0 where that is not known
	leaving  bool   // the pod is being deleted
	gone     bool   // the pod is no more, and its logs with it
}

// access is how an instance's log can be read.
type access int

const (
	unreachable access = iota
	running            // by following
	ended              // to its end
	previous           // to its end, with PodLogOptions.Previous
)

func (v view) access(instance string) access {
	switch {
	case v.gone:
		return unreachable
	case instance == v.current && v.ended:
		return ended
	case instance == v.current:
		return running
	case instance == v.previous:
		return previous
	default:
		return unreachable
	}
}

// look reads a container's view from its pod; nil is a pod that is gone.
func look(p *corev1.Pod, container string) view {
	if p == nil {
		return view{gone: true}
	}
	for _, s := range statuses(p) {
		if s.Name != container {
			continue
		}
		v := view{leaving: p.DeletionTimestamp != nil}
		if t := s.LastTerminationState.Terminated; t != nil {
			v.previous = t.ContainerID
			if !t.FinishedAt.IsZero() {
				v.over = t.FinishedAt.UnixNano()
			}
		}
		switch t := s.State.Terminated; {
		case s.State.Running != nil:
			v.current = s.ContainerID
		case t != nil && t.ContainerID != "":
			v.current, v.ended = t.ContainerID, true
		default: // between two instances, the log to be had is the last one's
			v.current, v.ended, v.previous = v.previous, true, ""
		}
		if v.previous == v.current {
			v.previous = ""
		}
		v.ended = v.ended || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
		return v
	}
	return view{}
}

// lastTerminated is the ID of a container's previous instance, or "".
func lastTerminated(p *corev1.Pod, container string) string {
	for _, s := range statuses(p) {
		if t := s.LastTerminationState.Terminated; s.Name == container && t != nil {
			return t.ContainerID
		}
	}
	return ""
}

// statuses are those of all containers of a pod, in the order in which they start.
func statuses(p *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses)
}

// witness keeps the newest view of a container, for the one who reads its log.
type witness struct {
	ask func(context.Context) (view, error) // the cluster, where what is known may be old

	mu      sync.Mutex
	seen    view
	changed chan struct{}
	leaving chan struct{} // closed when the pod is being deleted
	newest  string        // the instance that was named last
	next    chan struct{} // closed when another is
}

func newWitness(ask func(context.Context) (view, error)) *witness {
	return &witness{ask: ask, changed: make(chan struct{}, 1), leaving: make(chan struct{}), next: make(chan struct{})}
}

func (w *witness) now() view {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

func (w *witness) tell(v view) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v == w.seen {
		return
	}
	if v.leaving && !w.seen.leaving {
		close(w.leaving)
	}
	v.leaving = v.leaving || w.seen.leaving
	if v.current != "" && v.current != w.newest {
		close(w.next)
		w.newest, w.next = v.current, make(chan struct{})
	}
	w.seen = v
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// after is closed when an instance is known that follows this one.
func (w *witness) after(instance string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if instance == w.newest {
		return w.next
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}

// wait returns when there is news, d has passed, or ctx has ended.
func (w *witness) wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-w.changed:
	case <-t.C:
	}
}

// refresh asks the cluster.
func (w *witness) refresh(ctx context.Context) {
	if v, err := w.ask(ctx); err == nil {
		w.tell(v)
	}
}
