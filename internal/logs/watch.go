package logs

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// podFinder reads a Pod by name. It returns nil if the Pod does not exist.
type podFinder interface {
	FindPod(ctx context.Context, ns, name string) (*corev1.Pod, error)
}

// containerWatch holds the newest view of a container for the reader of its log.
type containerWatch struct {
	// ask reads the view from the cluster. It is used if the held view may be outdated.
	ask func(context.Context) (view, error)
	// polled is true if nobody calls update. The reader then refreshes the view after each stream.
	polled bool

	mu          sync.Mutex
	seen        view
	changed     chan struct{} // receives a value after a change
	terminating chan struct{} // closed when the pod is being deleted
	newest      string        // the last instance named
	replaced    chan struct{} // closed when a later instance appears
}

func newContainerWatch(ask func(context.Context) (view, error)) *containerWatch {
	return &containerWatch{
		ask: ask, changed: make(chan struct{}, 1), terminating: make(chan struct{}), replaced: make(chan struct{}),
	}
}

// watchContainer returns a watch that asks the cluster for the state of a container of this Pod, by the Pod's UID.
func watchContainer(cluster podFinder, p *corev1.Pod, container string) *containerWatch {
	return newContainerWatch(func(ctx context.Context) (view, error) {
		now, err := cluster.FindPod(ctx, p.Namespace, p.Name)
		if err != nil {
			return view{}, err
		}
		if now != nil && now.UID != p.UID { // another Pod has the name now
			now = nil
		}
		return viewOf(now, container), nil
	})
}

// view returns the newest view.
func (w *containerWatch) view() view {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// update sets the view and wakes the readers that wait for a change.
func (w *containerWatch) update(v view) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v == w.seen {
		return
	}
	if v.terminating && !w.seen.terminating {
		close(w.terminating)
	}
	v.terminating = v.terminating || w.seen.terminating
	if v.current != "" && v.current != w.newest {
		close(w.replaced)
		w.newest, w.replaced = v.current, make(chan struct{})
	}
	w.seen = v
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// replacementOf returns a channel that is closed once an instance later than this one is known.
func (w *containerWatch) replacementOf(instance string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if instance == w.newest {
		return w.replaced
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}

// wait returns after a change, after d, or when ctx ends.
func (w *containerWatch) wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-w.changed:
	case <-t.C:
	}
}

// refresh updates the view from the cluster. If the cluster does not answer, the view stays unchanged.
func (w *containerWatch) refresh(ctx context.Context) {
	if v, err := w.ask(ctx); err == nil {
		w.update(v)
	}
}
