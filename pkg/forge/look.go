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

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// The kinds of objects that norn makes.
const (
	kindClaim      = "PersistentVolumeClaim"
	kindDeployment = "Deployment"
	kindCronJob    = "CronJob"
	kindService    = "Service"
	kindSecret     = "Secret"
	kindConfigMap  = "ConfigMap"
)

// live is what the cluster has of an app: all that bears norn's labels, and what else is in the way of what is wanted.
type live struct {
	deployment *appsv1.Deployment
	cronJob    *batchv1.CronJob
	services   map[string]*corev1.Service
	claims     map[string]*corev1.PersistentVolumeClaim
}

// look reads what there is: one list for each kind, and a read by name for what is wanted and not among them.
func look(ctx context.Context, cluster reader, spec *infraspec.Spec, s Settings) (*live, error) {
	inv, err := cluster.Inventory(ctx, s.Namespace, spec.App)
	if err != nil {
		return nil, err
	}
	l := &live{services: map[string]*corev1.Service{}, claims: map[string]*corev1.PersistentVolumeClaim{}}
	for i := range inv.Services {
		l.services[inv.Services[i].Name] = &inv.Services[i]
	}
	for i := range inv.Claims {
		l.claims[inv.Claims[i].Name] = &inv.Claims[i]
	}
	for i := range inv.Deployments {
		if inv.Deployments[i].Name == spec.App {
			l.deployment = &inv.Deployments[i]
		}
	}
	for i := range inv.CronJobs {
		if inv.CronJobs[i].Name == spec.App {
			l.cronJob = &inv.CronJobs[i]
		}
	}
	return l, l.byName(ctx, cluster, spec, s)
}

// byName reads, side by side, what is wanted and does not bear norn's labels.
func (l *live) byName(ctx context.Context, cluster reader, spec *infraspec.Spec, s Settings) error {
	var mu sync.Mutex
	var errs []error
	var reading sync.WaitGroup
	read := func(do func() (keep func(), err error)) {
		reading.Go(func() {
			keep, err := do()
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				keep()
			case !k8s.IsNotFound(err):
				errs = append(errs, err)
			}
		})
	}
	standing := spec.Role == infraspec.Webserver || spec.Role == infraspec.Worker
	if standing && l.deployment == nil {
		read(func() (func(), error) {
			d, err := cluster.GetDeployment(ctx, s.Namespace, spec.App)
			return func() { l.deployment = d }, err
		})
	}
	if spec.Role == infraspec.Cron && l.cronJob == nil {
		read(func() (func(), error) {
			c, err := cluster.GetCronJob(ctx, s.Namespace, spec.App)
			return func() { l.cronJob = c }, err
		})
	}
	if conf := Service(spec, s); conf != nil && l.services[*conf.Name] == nil {
		read(func() (func(), error) {
			svc, err := cluster.GetService(ctx, s.Namespace, *conf.Name)
			return func() { l.services[*conf.Name] = svc }, err
		})
	}
	for _, conf := range Claims(spec, s) {
		if l.claims[*conf.Name] == nil {
			read(func() (func(), error) {
				c, err := cluster.GetPVC(ctx, s.Namespace, *conf.Name)
				return func() { l.claims[*conf.Name] = c }, err
			})
		}
	}
	reading.Wait()
	return errors.Join(errs...)
}

// named is an object with its kind.
type named struct {
	kind   string
	object k8s.Object
}

// inTheWay are the objects found, in a steady order.
func (l *live) inTheWay() []named {
	var out []named
	for _, c := range l.claims {
		out = append(out, named{kindClaim, c})
	}
	if l.deployment != nil {
		out = append(out, named{kindDeployment, l.deployment})
	}
	if l.cronJob != nil {
		out = append(out, named{kindCronJob, l.cronJob})
	}
	for _, s := range l.services {
		out = append(out, named{kindService, s})
	}
	slices.SortFunc(out, func(a, b named) int { return strings.Compare(a.kind+a.object.GetName(), b.kind+b.object.GetName()) })
	return out
}
