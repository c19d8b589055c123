package forge

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"norn/pkg/forge/objects"
	"norn/pkg/forge/tunnel"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// live is the live state of an app: the objects with the names that the infraspec needs, even if norn does not manage
// them, and all other objects with norn's labels.
type live struct {
	workload                       // of the main process
	processes map[string]*workload // of the other processes of the infraspec, by the name of their workload
	dropped   []liveObject         // of processes that the infraspec no longer has, or that have another role now
	function  *corev1.PodTemplate  // the version of a function app
	services  map[string]*corev1.Service
	claims    map[string]*corev1.PersistentVolumeClaim
	ingress   *networkingv1.Ingress      // of the app's name, or nil
	httpRoute *unstructured.Unstructured // of the app's name, or nil
	budget    k8s.Budget
	tunnel    *corev1.ConfigMap // cloudflared's configuration, or nil
	// tunnelMissing is the error that cloudflared's ConfigMap does not exist, or nil.
	tunnelMissing error
	// foreign are objects with the app's labels that norn does not manage, under names that the infraspec does not need.
	foreign []*k8s.ForeignError
}

// workload holds the live objects of one process that have the name of its workload.
type workload struct {
	deployment *appsv1.Deployment
	cronJob    *batchv1.CronJob
	disruption disruptions
}

// of returns the live state as the process of a spec sees it.
func (l *live) of(spec *infraspec.Spec) *live {
	if spec.Process == "" {
		return l
	}
	one := *l
	one.workload = *l.processes[spec.Workload()]
	return &one
}

// workloads returns the live objects of each process, the main one first.
func (l *live) workloads() []*workload {
	all := []*workload{&l.workload}
	for _, name := range slices.Sorted(maps.Keys(l.processes)) {
		all = append(all, l.processes[name])
	}
	return all
}

// readLive reads the live state with concurrent calls.
func readLive(ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, s objects.Settings) (*live, error) {
	l := &live{
		services: map[string]*corev1.Service{}, claims: map[string]*corev1.PersistentVolumeClaim{},
		processes: map[string]*workload{},
	}
	for _, w := range spec.Workloads()[1:] {
		l.processes[w.Workload()] = &workload{}
	}
	var found *k8s.Inventory
	reads := &reads{}
	reads.start(func() (func(), error) {
		inv, err := cluster.ListOwned(ctx, s.Namespace, spec.App)
		return func() { found = inv }, err
	})
	reads.start(func() (func(), error) {
		b, err := cluster.Budget(ctx, s.Namespace)
		return func() { l.budget = b }, err
	})
	reads.start(func() (func(), error) {
		d, err := cluster.GetDeployment(ctx, s.Namespace, spec.App)
		return func() { l.deployment = d }, err
	})
	reads.start(func() (func(), error) {
		c, err := cluster.GetCronJob(ctx, s.Namespace, spec.App)
		return func() { l.cronJob = c }, err
	})
	reads.start(func() (func(), error) {
		t, err := cluster.GetPodTemplate(ctx, s.Namespace, spec.App)
		if _, denied := errors.AsType[*k8s.DeniedError](err); denied { // only a deploy of a function needs it
			return func() {}, nil
		}
		return func() { l.function = t }, err
	})
	reads.routes(ctx, cluster, l, spec.App, s.Namespace)
	reads.start(func() (func(), error) { return readDisruptions(ctx, cluster, l, spec, s.Namespace) })
	for _, w := range spec.Workloads() {
		if w.Process != "" {
			reads.process(ctx, cluster, l.processes[w.Workload()], w, s.Namespace)
		}
		if conf := objects.Service(w, s); conf != nil {
			reads.start(func() (func(), error) {
				svc, err := cluster.GetService(ctx, s.Namespace, *conf.Name)
				return func() { l.services[*conf.Name] = svc }, err
			})
		}
	}
	for _, conf := range objects.Claims(spec, s) {
		reads.start(func() (func(), error) {
			c, err := cluster.GetPVC(ctx, s.Namespace, *conf.Name)
			return func() { l.claims[*conf.Name] = c }, err
		})
	}
	reads.start(func() (func(), error) {
		m, err := cluster.GetConfigMap(ctx, tunnel.Namespace, tunnel.ConfigMap)
		if _, denied := errors.AsType[*k8s.DeniedError](err); denied { // a user without access to it has no rule there
			return func() {}, nil
		}
		if k8s.IsNotFound(err) {
			return func() { l.tunnelMissing = err }, nil
		}
		return func() { l.tunnel = m }, err
	})
	if err := reads.wait(); err != nil {
		return nil, err
	}
	l.add(found, spec, s)
	return l, nil
}

// add adds the objects with the app's labels that the infraspec does not name. readLive has read the others by name.
func (l *live) add(found *k8s.Inventory, spec *infraspec.Spec, s objects.Settings) {
	needed := map[string]bool{} // kind and name
	for _, w := range spec.Workloads() {
		if conf := objects.Service(w, s); conf != nil {
			needed[objects.KindService+*conf.Name] = true
		}
		needed[kindOf(w)+w.Workload()] = true
	}
	for _, conf := range objects.Claims(spec, s) {
		needed[objects.KindClaim+*conf.Name] = true
	}
	for i := range found.Services {
		if name := found.Services[i].Name; !needed[objects.KindService+name] {
			l.services[name] = &found.Services[i]
		}
	}
	for i := range found.Claims {
		if name := found.Claims[i].Name; !needed[objects.KindClaim+name] {
			l.claims[name] = &found.Claims[i]
		}
	}
	for _, o := range slices.Concat(
		liveObjects(objects.KindDeployment, found.Deployments), liveObjects(objects.KindCronJob, found.CronJobs),
	) {
		if !needed[o.kind+o.object.GetName()] && o.object.GetDeletionTimestamp() == nil {
			l.dropped = append(l.dropped, o)
		}
	}
	for _, f := range found.Foreign {
		if !needed[f.Kind+f.Name] {
			l.foreign = append(l.foreign, f)
		}
	}
	l.forgetOtherRoutes(spec)
	// A workload of another role that norn does not manage conflicts with nothing.
	if l.deployment != nil && !spec.Role.Standing() && !metadata.IsOwned(l.deployment, spec.App) {
		l.deployment = nil
	}
	if l.cronJob != nil && spec.Role != infraspec.Cron && !metadata.IsOwned(l.cronJob, spec.App) {
		l.cronJob = nil
	}
}

// kindOf returns the kind of a process's workload, or "" for a function.
func kindOf(spec *infraspec.Spec) string {
	switch {
	case spec.Role.Standing():
		return objects.KindDeployment
	case spec.Role == infraspec.Cron:
		return objects.KindCronJob
	}
	return ""
}

// reads runs concurrent reads of the cluster. It calls the keep functions one at a time, and skips objects that do not
// exist.
type reads struct {
	mu      sync.Mutex
	errs    []error
	running sync.WaitGroup
}

func (r *reads) start(read func() (keep func(), err error)) {
	r.running.Go(func() {
		keep, err := read()
		r.mu.Lock()
		defer r.mu.Unlock()
		switch {
		case err == nil:
			keep()
		case !k8s.IsNotFound(err):
			r.errs = append(r.errs, err)
		}
	})
}

// process reads the workload of a process other than the main one. A workload of the other kind, from before a change
// of the role, is among the owned ones.
func (r *reads) process(ctx context.Context, cluster *k8s.Client, w *workload, spec *infraspec.Spec, ns string) {
	r.start(func() (func(), error) {
		if spec.Role == infraspec.Cron {
			c, err := cluster.GetCronJob(ctx, ns, spec.Workload())
			return func() { w.cronJob = c }, err
		}
		d, err := cluster.GetDeployment(ctx, ns, spec.Workload())
		return func() { w.deployment = d }, err
	})
}

func (r *reads) wait() error {
	r.running.Wait()
	return errors.Join(r.errs...)
}

// dropDeletions removes the objects that are being deleted, and returns their deletions.
func (l *live) dropDeletions(ctx context.Context, cluster *k8s.Client) []deletion {
	var dropped []deletion
	for _, o := range l.all() {
		if o.object.GetDeletionTimestamp() == nil {
			continue
		}
		dropped = append(dropped, deletionOf(ctx, cluster, o))
		l.forget(o)
	}
	return dropped
}

// forget removes an object.
func (l *live) forget(o liveObject) {
	switch o.kind {
	case objects.KindService:
		delete(l.services, o.object.GetName())
	case objects.KindClaim:
		delete(l.claims, o.object.GetName())
	case objects.KindIngress:
		l.ingress = nil
	case objects.KindHTTPRoute:
		l.httpRoute = nil
	}
	for _, w := range l.workloads() {
		switch o.object {
		case object(w.deployment):
			w.deployment = nil
		case object(w.cronJob):
			w.cronJob = nil
		case object(w.disruption.own):
			w.disruption.own = nil
		}
	}
}

// liveObject is an object with its kind.
type liveObject struct {
	kind   string
	object metadata.Object
}

// liveObjects returns objects of one kind with their kind.
func liveObjects[T any, P interface {
	*T
	metadata.Object
}](kind string, items []T) []liveObject {
	out := make([]liveObject, 0, len(items))
	for i := range items {
		out = append(out, liveObject{kind, P(&items[i])})
	}
	return out
}

// all returns the objects in a stable order.
func (l *live) all() []liveObject {
	out := l.routes()
	for _, c := range l.claims {
		out = append(out, liveObject{objects.KindClaim, c})
	}
	for _, w := range l.workloads() {
		if w.deployment != nil {
			out = append(out, liveObject{objects.KindDeployment, w.deployment})
		}
		if w.cronJob != nil {
			out = append(out, liveObject{objects.KindCronJob, w.cronJob})
		}
		if w.disruption.own != nil {
			out = append(out, liveObject{objects.KindDisruptionBudget, w.disruption.own})
		}
	}
	for _, s := range l.services {
		out = append(out, liveObject{objects.KindService, s})
	}
	slices.SortFunc(out, func(a, b liveObject) int {
		return strings.Compare(a.kind+a.object.GetName(), b.kind+b.object.GetName())
	})
	return out
}
