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

// live is what the cluster has of an app: what is in the way of what is wanted, and what bears norn's labels besides.
type live struct {
	deployment *appsv1.Deployment
	cronJob    *batchv1.CronJob
	services   map[string]*corev1.Service
	claims     map[string]*corev1.PersistentVolumeClaim
	budget     k8s.Budget
	tunnel     *corev1.ConfigMap // cloudflared's configuration, or nil
}

// readLive reads what there is, side by side: what is wanted by its name, whosever it is, and what the app has besides.
func readLive(ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, s objects.Settings) (*live, error) {
	l := &live{services: map[string]*corev1.Service{}, claims: map[string]*corev1.PersistentVolumeClaim{}}
	var left leftovers
	reads := &reads{}
	reads.start(func() (func(), error) {
		services, claims, err := cluster.ListOwned(ctx, s.Namespace, spec.App)
		return func() { left = leftovers{services, claims} }, err
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
		if _, denied := errors.AsType[*k8s.DeniedError](err); denied { // who may not read the tunnel has no rule there
			return func() {}, nil
		}
		return func() { l.tunnel = m }, err
	})
	if err := reads.wait(); err != nil {
		return nil, err
	}
	l.add(left, spec, s)
	return l, nil
}

// leftovers are what an app has by its labels.
type leftovers struct {
	services []corev1.Service
	claims   []corev1.PersistentVolumeClaim
}

// add takes up the leftovers that are not wanted; what is wanted has been read by its name.
func (l *live) add(left leftovers, spec *infraspec.Spec, s objects.Settings) {
	wanted := objects.Service(spec, s)
	for i := range left.services {
		if name := left.services[i].Name; wanted == nil || name != *wanted.Name {
			l.services[name] = &left.services[i]
		}
	}
	claims := objects.Claims(spec, s)
	for i := range left.claims {
		name := left.claims[i].Name
		if !slices.ContainsFunc(claims, func(c *applycore.PersistentVolumeClaimApplyConfiguration) bool { return *c.Name == name }) {
			l.claims[name] = &left.claims[i]
		}
	}
	if l.deployment != nil && !spec.Role.Standing() && !objects.IsOwned(l.deployment, spec.App) { // somebody else's, and not in the way
		l.deployment = nil
	}
	if l.cronJob != nil && spec.Role != infraspec.Cron && !objects.IsOwned(l.cronJob, spec.App) {
		l.cronJob = nil
	}
}

// reads are reads of the cluster that run side by side. What they keep is kept one after the other; an object that is not there is kept by none.
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

// liveObject is an object with its kind.
type liveObject struct {
	kind   string
	object metadata.Object
}

// inTheWay are the objects found, in a steady order.
func (l *live) inTheWay() []liveObject {
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
