package k8s

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// eventPage is how many events are read at a time.
const eventPage = 500

// podPrefix is how much of a workload's name its Pods' names begin with at least: a generated name has at most 58
// characters before its random part (k8s.io/apiserver/pkg/storage/names).
const podPrefix = 50

// concern returns a function that reports whether an event may be about a Pod of one of the workloads, or about another
// kind of object. The namespace can have thousands of events about the Pods of others.
func concern(workloads ...string) func(*corev1.Event) bool {
	return func(e *corev1.Event) bool {
		return e.InvolvedObject.Kind != "Pod" || slices.ContainsFunc(workloads, func(name string) bool {
			return strings.HasPrefix(e.InvolvedObject.Name, name[:min(len(name), podPrefix)])
		})
	}
}

// watchEvents keeps a store of a namespace's events that pass. It reads page by page and keeps no others in memory. If
// the user cannot list events, the reflector retries silently and the store stays empty.
func (c *Client) watchEvents(w *watches, ns string, passes func(*corev1.Event) bool) *changeStore {
	store := &changeStore{
		Store: cache.NewStore(cache.MetaNamespaceKeyFunc), changed: w.notify,
		omits: func(obj any) bool {
			e, ok := obj.(*corev1.Event)
			return ok && !passes(e)
		},
	}
	lw := eventSource{&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return c.listEvents(ctx, ns, o, passes)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return c.core.Events(ns).Watch(ctx, o)
		},
	}}
	reflector := cache.NewReflectorWithOptions(lw, &corev1.Event{}, store, cache.ReflectorOptions{})
	w.running.Go(func() { reflector.RunWithContext(w.ctx) })
	return store
}

// listEvents returns the events that pass. The result has the version of the whole list, from which a watch goes on.
func (c *Client) listEvents(
	ctx context.Context, ns string, o metav1.ListOptions, passes func(*corev1.Event) bool,
) (*corev1.EventList, error) {
	all := &corev1.EventList{}
	for o.Limit, o.ResourceVersion = eventPage, ""; ; {
		page, err := c.core.Events(ns).List(ctx, o)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			if passes(&page.Items[i]) {
				all.Items = append(all.Items, page.Items[i])
			}
		}
		all.ResourceVersion = page.ResourceVersion
		if o.Continue = page.Continue; o.Continue == "" {
			return all, nil
		}
	}
}

// eventSource reads events by lists, because a watch that begins with all of them would keep them in memory.
type eventSource struct{ *cache.ListWatch }

// IsWatchListSemanticsUnSupported makes the reflector begin with a list.
func (eventSource) IsWatchListSemanticsUnSupported() bool { return true }
