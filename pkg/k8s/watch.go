package k8s

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
)

// observeInterval is how often Observe repeats an observation without changes, for callers that measure time.
const observeInterval = time.Second

// Watch watches objects of an app for observers of its workloads. They share its watches, so their number does not
// grow with that of the workloads. The watches begin with the first observer.
type Watch struct {
	client    *Client
	ns, app   string
	workloads []string
	*watches
	stop func()

	begin                                          sync.Once
	err                                            error // why the watches have not begun
	deployments, replicaSets, pods, claims, events *changeStore
	nodes                                          *nodeStates
}

// Watch returns a watch of the Deployments of some of an app's workloads, their ReplicaSets and Pods, the app's claims,
// and the events about them. It also reads the nodes of Pods that are not ready. client-go's reflectors resume broken
// watches. The watch ends with Stop, or with ctx.
func (c *Client) Watch(ctx context.Context, ns, app string, workloads ...string) *Watch {
	w := &Watch{client: c, ns: ns, app: app, workloads: workloads}
	w.watches, w.stop = newWatches(ctx)
	return w
}

// Stop ends the watch.
func (w *Watch) Stop() { w.stop() }

// Observe watches one of an app's workloads by watches of its own; see Watch.Observe.
func (c *Client) Observe(ctx context.Context, ns, app, workload string,
	see func(rollout.Observation) (done bool, err error)) error {
	w := c.Watch(ctx, ns, app, workload)
	defer w.Stop()
	return w.Observe(ctx, workload, see)
}

// Observe calls see with every new state of a workload, and repeats the latest state each second, until see is done,
// returns an error, or ctx ends. Changes that arrive while see runs count as one new state.
func (w *Watch) Observe(ctx context.Context, workload string,
	see func(rollout.Observation) (done bool, err error)) error {
	if w.begin.Do(func() { w.err = w.watch(ctx) }); w.err != nil {
		return w.err
	}
	return w.each(ctx, []*changeStore{w.deployments, w.replicaSets, w.pods}, func() (bool, error) {
		o := rollout.Observation{
			ReplicaSets: labelled(all[appsv1.ReplicaSet](w.replicaSets), workload),
			Pods:        labelled(all[corev1.Pod](w.pods), workload),
			Claims:      all[corev1.PersistentVolumeClaim](w.claims),
			Events:      all[corev1.Event](w.events),
			Nodes:       w.nodes.get(),
			At:          time.Now(),
		}
		for _, d := range all[appsv1.Deployment](w.deployments) {
			if d.Name == workload {
				o.Deployment = d
			}
		}
		return see(o)
	})
}

// watch begins the watches. It returns an error if the user cannot list one of the kinds.
func (w *Watch) watch(ctx context.Context) error {
	c := w.client
	ofWorkloads := appSelector(w.workloads[0])
	deployments := fields.OneTermEqualSelector("metadata.name", w.workloads[0]).String()
	narrow := func(o *metav1.ListOptions) { o.FieldSelector = deployments }
	if len(w.workloads) > 1 {
		ofWorkloads = metadata.AppLabel + " in (" + strings.Join(w.workloads, ",") + ")"
		narrow = selected(appSelector(w.app))
	}
	if err := c.checkAllowed(ctx, w.ns, ofWorkloads); err != nil {
		return Explain(err, "watch %s", strings.Join(w.workloads, ", "))
	}
	w.deployments = w.reflect(c.apps.RESTClient(), "deployments", w.ns, &appsv1.Deployment{}, narrow)
	w.replicaSets = w.reflect(c.apps.RESTClient(), "replicasets", w.ns, &appsv1.ReplicaSet{}, selected(ofWorkloads))
	w.pods = w.reflect(c.core.RESTClient(), "pods", w.ns, &corev1.Pod{}, selected(ofWorkloads))
	w.claims, w.events = c.watchIfAllowed(w.watches, w.ns, w.app, concern(w.workloads...))
	w.nodes = c.watchNodes(w.watches, w.pods)
	w.notifyEvery(observeInterval)
	return nil
}

// selected returns what narrows a list to the objects that a selector of labels selects.
func selected(selector string) func(*metav1.ListOptions) {
	return func(o *metav1.ListOptions) { o.LabelSelector = selector }
}

// labelled returns the items whose label names an app.
func labelled[T any, P object[T]](items []P, app string) []P {
	return slices.DeleteFunc(items, func(o P) bool { return o.GetLabels()[metadata.AppLabel] != app })
}

// WatchDeployment watches one Deployment. It calls see with every new state, or nil while there is no Deployment, until
// see is done, returns an error, or ctx ends.
func (c *Client) WatchDeployment(ctx context.Context, ns, name string,
	see func(*appsv1.Deployment) (done bool, err error)) error {
	w, stop := newWatches(ctx)
	defer stop()
	store := w.reflect(c.apps.RESTClient(), "deployments", ns, &appsv1.Deployment{}, func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", name).String()
	})
	return w.each(ctx, []*changeStore{store}, func() (bool, error) {
		var d *appsv1.Deployment
		if found := all[appsv1.Deployment](store); len(found) > 0 {
			d = found[0]
		}
		return see(d)
	})
}

// watches is a set of reflectors that report changes to their listeners.
type watches struct {
	ctx     context.Context //nolint:containedctx // the reflectors run until it ends
	running sync.WaitGroup

	mu        sync.Mutex
	listeners map[chan struct{}]bool
}

// newWatches returns watches that run until stop is called, or ctx ends.
func newWatches(ctx context.Context) (w *watches, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	w = &watches{ctx: ctx, listeners: map[chan struct{}]bool{}}
	return w, func() { cancel(); w.running.Wait() }
}

// listen returns a channel of reports of changes, with a first one in it, until end is called. The channel holds one
// report, so a burst of changes counts as one new state.
func (w *watches) listen() (reports chan struct{}, end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	reports = make(chan struct{}, 1)
	reports <- struct{}{}
	w.listeners[reports] = true
	return reports, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.listeners, reports)
	}
}

// each calls see after every change, once all the stores are filled. It returns when see is done or returns an error,
// or when ctx ends.
func (w *watches) each(ctx context.Context, stores []*changeStore, see func() (done bool, err error)) error {
	reports, end := w.listen()
	defer end()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-reports:
		}
		if slices.ContainsFunc(stores, func(s *changeStore) bool { return !s.synced() }) {
			continue
		}
		begin := time.Now()
		if done, err := see(); done || err != nil {
			return err
		}
		pause(ctx, time.Since(begin))
	}
}

// pause waits after a look that took some time, so that looks at thousands of Pods, each of which changes several
// times, leave most of a core to others. The verdict is at most maxPause late.
func pause(ctx context.Context, took time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(min(took*pauseFactor, maxPause)):
	}
}

const (
	pauseFactor = 4
	maxPause    = 500 * time.Millisecond
)

// notify reports a change.
func (w *watches) notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for reports := range w.listeners {
		select {
		case reports <- struct{}{}:
		default:
		}
	}
}

// notifyEvery also reports a change every d.
func (w *watches) notifyEvery(d time.Duration) {
	w.every(d, func() bool { w.notify(); return true })
}

// every calls do every d, as long as do returns true.
func (w *watches) every(d time.Duration, do func() bool) {
	w.running.Go(func() {
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-w.ctx.Done():
				return
			case <-tick.C:
			}
			if !do() {
				return
			}
		}
	})
}

// reflect keeps a store of the objects of a resource.
func (w *watches) reflect(client rest.Interface, resource, ns string, example any,
	narrow func(*metav1.ListOptions)) *changeStore {
	store := &changeStore{Store: cache.NewStore(cache.MetaNamespaceKeyFunc), changed: w.notify}
	lw := cache.NewFilteredListWatchFromClient(client, resource, ns, narrow)
	reflector := cache.NewReflectorWithOptions(lw, example, store, cache.ReflectorOptions{})
	w.running.Go(func() { reflector.RunWithContext(w.ctx) })
	return store
}

// watchIfAllowed watches optional objects of an observation. If the user cannot list them, the reflector retries
// silently and the store stays empty.
func (c *Client) watchIfAllowed(
	w *watches, ns, app string, passes func(*corev1.Event) bool,
) (claims, events *changeStore) {
	claims = w.reflect(c.core.RESTClient(), "persistentvolumeclaims", ns, &corev1.PersistentVolumeClaim{},
		selected(appSelector(app)))
	return claims, c.watchEvents(w, ns, passes)
}

// checkAllowed returns an error if the user cannot list one of the kinds. Without this check, a reflector would
// silently retry the denied request.
func (c *Client) checkAllowed(ctx context.Context, ns, selector string) error {
	one := metav1.ListOptions{LabelSelector: selector, Limit: 1, ResourceVersion: "0"}
	_, err := c.apps.Deployments(ns).List(ctx, one)
	if err == nil {
		_, err = c.apps.ReplicaSets(ns).List(ctx, one)
	}
	if err == nil {
		_, err = c.core.Pods(ns).List(ctx, one)
	}
	return err
}

// changeStore is a reflector's store that reports changes.
type changeStore struct {
	cache.Store
	changed func()
	omits   func(obj any) bool // or nil

	mu     sync.Mutex
	filled bool
}

func (s *changeStore) notify(err error) error {
	s.changed()
	return err
}

func (s *changeStore) synced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.filled
}

// Add implements cache.ReflectorStore.
func (s *changeStore) Add(obj any) error { return s.put(obj, s.Store.Add) }

// Update implements cache.ReflectorStore.
func (s *changeStore) Update(obj any) error { return s.put(obj, s.Store.Update) }

func (s *changeStore) put(obj any, put func(any) error) error {
	if s.omits != nil && s.omits(obj) {
		return nil
	}
	return s.notify(put(obj))
}

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
