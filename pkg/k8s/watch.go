package k8s

import (
	"context"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
)

// observeInterval is how often Observe repeats an observation without changes, for callers that measure time.
const observeInterval = time.Second

// Observe watches an app's Deployment, ReplicaSets, Pods and claims, and the namespace's events. It calls see with
// every new state, and repeats the latest state each second, until see is done, returns an error, or ctx ends.
// client-go's reflectors resume broken watches. Changes that arrive while see runs count as one new state.
func (c *Client) Observe(ctx context.Context, ns, app string,
	see func(rollout.Observation) (done bool, err error)) error {
	if err := c.checkAllowed(ctx, ns, app); err != nil {
		return err
	}
	w, stop := newWatches(ctx)
	defer stop()
	byLabel := func(o *metav1.ListOptions) { o.LabelSelector = labels.Set{metadata.AppLabel: app}.String() }
	byName := func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", app).String()
	}
	deployments := w.watch(c.apps.RESTClient(), "deployments", ns, &appsv1.Deployment{}, byName)
	sets := w.watch(c.apps.RESTClient(), "replicasets", ns, &appsv1.ReplicaSet{}, byLabel)
	pods := w.watch(c.core.RESTClient(), "pods", ns, &corev1.Pod{}, byLabel)
	claims, events := c.watchIfAllowed(w, ns, byLabel)
	defer w.notifyEvery(observeInterval)()

	return w.each([]*changeStore{deployments, sets, pods}, func() (bool, error) {
		o := rollout.Observation{
			ReplicaSets: all[appsv1.ReplicaSet](sets),
			Pods:        all[corev1.Pod](pods),
			Claims:      all[corev1.PersistentVolumeClaim](claims),
			Events:      all[corev1.Event](events),
		}
		if d := all[appsv1.Deployment](deployments); len(d) > 0 {
			o.Deployment = d[0]
		}
		return see(o)
	})
}

// WatchDeployment watches one Deployment. It calls see with every new state, or nil while there is no Deployment, until
// see is done, returns an error, or ctx ends.
func (c *Client) WatchDeployment(ctx context.Context, ns, name string,
	see func(*appsv1.Deployment) (done bool, err error)) error {
	w, stop := newWatches(ctx)
	defer stop()
	store := w.watch(c.apps.RESTClient(), "deployments", ns, &appsv1.Deployment{}, func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", name).String()
	})
	return w.each([]*changeStore{store}, func() (bool, error) {
		var d *appsv1.Deployment
		if found := all[appsv1.Deployment](store); len(found) > 0 {
			d = found[0]
		}
		return see(d)
	})
}

// watches is a set of reflectors that share one channel for changes.
type watches struct {
	ctx     context.Context //nolint:containedctx // the reflectors run until it ends
	running sync.WaitGroup
	changed chan struct{}
}

// newWatches returns watches that run until stop is called, or ctx ends.
func newWatches(ctx context.Context) (w *watches, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	w = &watches{ctx: ctx, changed: make(chan struct{}, 1)}
	return w, func() { cancel(); w.running.Wait() }
}

// next waits until one of the stores changes or the context ends.
func (w *watches) next() error {
	select {
	case <-w.ctx.Done():
		return context.Cause(w.ctx)
	case <-w.changed:
		return nil
	}
}

// each calls see after every change, once all the stores are filled. It returns when see is done or returns an error,
// or when the context ends.
func (w *watches) each(stores []*changeStore, see func() (done bool, err error)) error {
	for {
		if err := w.next(); err != nil {
			return err
		}
		if slices.ContainsFunc(stores, func(s *changeStore) bool { return !s.synced() }) {
			continue
		}
		if done, err := see(); done || err != nil {
			return err
		}
	}
}

// notifyEvery also reports a change every d, until the returned function is called.
func (w *watches) notifyEvery(d time.Duration) (stop func()) {
	tick := time.NewTicker(d)
	w.running.Go(func() {
		for {
			select {
			case <-w.ctx.Done():
				return
			case <-tick.C:
				select {
				case w.changed <- struct{}{}:
				default:
				}
			}
		}
	})
	return tick.Stop
}

func (w *watches) watch(client rest.Interface, resource, ns string, example any,
	narrow func(*metav1.ListOptions)) *changeStore {
	store := &changeStore{Store: cache.NewStore(cache.MetaNamespaceKeyFunc), changed: w.changed}
	lw := cache.NewFilteredListWatchFromClient(client, resource, ns, narrow)
	reflector := cache.NewReflectorWithOptions(lw, example, store, cache.ReflectorOptions{})
	w.running.Go(func() { reflector.RunWithContext(w.ctx) })
	return store
}

// watchIfAllowed watches optional objects of an observation. If the user cannot list them, the reflector retries
// silently and the store stays empty.
func (c *Client) watchIfAllowed(w *watches, ns string,
	byLabel func(*metav1.ListOptions)) (claims, events *changeStore) {
	claims = w.watch(c.core.RESTClient(), "persistentvolumeclaims", ns, &corev1.PersistentVolumeClaim{}, byLabel)
	events = w.watch(c.core.RESTClient(), "events", ns, &corev1.Event{}, func(*metav1.ListOptions) {})
	return claims, events
}

// checkAllowed returns an error if the user cannot list one of the kinds. Without this check, a reflector would
// silently retry the denied request.
func (c *Client) checkAllowed(ctx context.Context, ns, app string) error {
	one := metav1.ListOptions{LabelSelector: appSelector(app), Limit: 1, ResourceVersion: "0"}
	_, err := c.apps.Deployments(ns).List(ctx, one)
	if err == nil {
		_, err = c.apps.ReplicaSets(ns).List(ctx, one)
	}
	if err == nil {
		_, err = c.core.Pods(ns).List(ctx, one)
	}
	return Explain(err, "watch %s", app)
}

// changeStore is a reflector's store that reports changes on a channel. The channel holds one report, so a burst of
// changes counts as one new state.
type changeStore struct {
	cache.Store
	changed chan<- struct{}

	mu     sync.Mutex
	filled bool
}

func (s *changeStore) notify(err error) error {
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return err
}

func (s *changeStore) synced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.filled
}

// Add implements cache.ReflectorStore.
func (s *changeStore) Add(obj any) error { return s.notify(s.Store.Add(obj)) }

// Update implements cache.ReflectorStore.
func (s *changeStore) Update(obj any) error { return s.notify(s.Store.Update(obj)) }

// Delete implements cache.ReflectorStore.
func (s *changeStore) Delete(obj any) error { return s.notify(s.Store.Delete(obj)) }

// Replace implements cache.ReflectorStore. The first call completes the initial list.
func (s *changeStore) Replace(list []any, version string) error {
	err := s.Store.Replace(list, version)
	s.mu.Lock()
	s.filled = true
	s.mu.Unlock()
	return s.notify(err)
}

func all[T any](s *changeStore) []*T {
	items := s.List()
	out := make([]*T, 0, len(items))
	for _, item := range items {
		if t, ok := item.(*T); ok {
			out = append(out, t)
		}
	}
	return out
}
