package forge

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/forge/tunnel"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// live is the live state of an app: the objects with the names that the infraspec needs, even if norn does not manage
// them, and all other objects with norn's labels.
type live struct {
	deployment *appsv1.Deployment
	cronJob    *batchv1.CronJob
	services   map[string]*corev1.Service
	claims     map[string]*corev1.PersistentVolumeClaim
	budget     k8s.Budget
	tunnel     *corev1.ConfigMap // cloudflared's configuration, or nil
	// tunnelMissing is the error that cloudflared's ConfigMap does not exist, or nil.
	tunnelMissing error
}

// readLive reads the live state with concurrent calls.
func readLive(ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, s objects.Settings) (*live, error) {
	l := &live{services: map[string]*corev1.Service{}, claims: map[string]*corev1.PersistentVolumeClaim{}}
	var found labelled
	reads := &reads{}
	reads.start(func() (func(), error) {
		services, claims, err := cluster.ListOwned(ctx, s.Namespace, spec.App)
		return func() { found = labelled{services, claims} }, err
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
	if conf := objects.Service(spec, s); conf != nil {
		reads.start(func() (func(), error) {
			svc, err := cluster.GetService(ctx, s.Namespace, *conf.Name)
			return func() { l.services[*conf.Name] = svc }, err
		})
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

// labelled holds the objects with an app's labels.
type labelled struct {
	services []corev1.Service
	claims   []corev1.PersistentVolumeClaim
}

// add adds the labelled objects that the infraspec does not name. readLive has read the others by name.
func (l *live) add(found labelled, spec *infraspec.Spec, s objects.Settings) {
	wanted := objects.Service(spec, s)
	for i := range found.services {
		if name := found.services[i].Name; wanted == nil || name != *wanted.Name {
			l.services[name] = &found.services[i]
		}
	}
	claims := objects.Claims(spec, s)
	for i := range found.claims {
		name := found.claims[i].Name
		named := func(c *applycore.PersistentVolumeClaimApplyConfiguration) bool { return *c.Name == name }
		if !slices.ContainsFunc(claims, named) {
			l.claims[name] = &found.claims[i]
		}
	}
	// A workload of another role that norn does not manage conflicts with nothing.
	if l.deployment != nil && !spec.Role.Standing() && !objects.IsOwned(l.deployment, spec.App) {
		l.deployment = nil
	}
	if l.cronJob != nil && spec.Role != infraspec.Cron && !objects.IsOwned(l.cronJob, spec.App) {
		l.cronJob = nil
	}
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

func (r *reads) wait() error {
	r.running.Wait()
	return errors.Join(r.errs...)
}

// dropDeletions removes the objects that are being deleted, and returns their deletions.
func (l *live) dropDeletions(ctx context.Context, cluster *k8s.Client, app string) []deletion {
	var dropped []deletion
	for _, o := range l.all() {
		if o.object.GetDeletionTimestamp() == nil {
			continue
		}
		dropped = append(dropped, deletionOf(ctx, cluster, o, app))
		switch o.kind {
		case objects.KindDeployment:
			l.deployment = nil
		case objects.KindCronJob:
			l.cronJob = nil
		case objects.KindService:
			delete(l.services, o.object.GetName())
		case objects.KindClaim:
			delete(l.claims, o.object.GetName())
		}
	}
	return dropped
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
	var out []liveObject
	for _, c := range l.claims {
		out = append(out, liveObject{objects.KindClaim, c})
	}
	if l.deployment != nil {
		out = append(out, liveObject{objects.KindDeployment, l.deployment})
	}
	if l.cronJob != nil {
		out = append(out, liveObject{objects.KindCronJob, l.cronJob})
	}
	for _, s := range l.services {
		out = append(out, liveObject{objects.KindService, s})
	}
	slices.SortFunc(out, func(a, b liveObject) int {
		return strings.Compare(a.kind+a.object.GetName(), b.kind+b.object.GetName())
	})
	return out
}
