package k8s

import (
	"context"
	"k8s.io/apimachinery/pkg/util/sets"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// Inventory is what norn has made in a namespace, for one app or for all.
type Inventory struct {
	Deployments []appsv1.Deployment
	CronJobs    []batchv1.CronJob
	Services    []corev1.Service
	Claims      []corev1.PersistentVolumeClaim
	// PodTemplates are what function apps have shipped.
	PodTemplates []corev1.PodTemplate
	Jobs         []batchv1.Job // of norn run, invoke and migrations; only where one app is asked for
}

// Inventory lists what norn has made in a namespace, for one app or, where app is "", for all: one call for each
// kind, side by side, however many apps there are.
func (c *Client) Inventory(ctx context.Context, ns, app string) (*Inventory, error) {
	var inv Inventory
	only := metav1.ListOptions{LabelSelector: madeByNorn}
	if app != "" {
		only.LabelSelector = ownedSelector(app)
	}
	calls := []func() error{
		list(ctx, c.apps.Deployments(ns), only, "the Deployments in namespace "+ns,
			func(l *appsv1.DeploymentList) { inv.Deployments = l.Items }),
		list(ctx, c.batch.CronJobs(ns), only, "the CronJobs in namespace "+ns,
			func(l *batchv1.CronJobList) { inv.CronJobs = l.Items }),
		list(ctx, c.core.Services(ns), only, "the Services in namespace "+ns,
			func(l *corev1.ServiceList) { inv.Services = l.Items }),
		list(ctx, c.core.PersistentVolumeClaims(ns), only, "the PersistentVolumeClaims in namespace "+ns,
			func(l *corev1.PersistentVolumeClaimList) { inv.Claims = l.Items }),
	}
	calls = append(calls, list(ctx, c.core.PodTemplates(ns), only, "the PodTemplates in namespace "+ns,
		func(l *corev1.PodTemplateList) { inv.PodTemplates = l.Items }))
	if app != "" {
		calls = append(calls, list(ctx, c.batch.Jobs(ns), metav1.ListOptions{LabelSelector: only.LabelSelector + "," + metadata.JobLabel}, "the Jobs of "+app,
			func(l *batchv1.JobList) { inv.Jobs = l.Items }))
	}
	if err := together(calls...); err != nil {
		return nil, err
	}
	return &inv, nil
}

// ListOwned lists the Services and claims that norn made for an app. It reads the API server's cache, since a list of the
// latest state can take forty milliseconds more. An object made moments ago may be missing: use it only for what the next
// run may find just as well.
func (c *Client) ListOwned(ctx context.Context, ns, app string) (services []corev1.Service, claims []corev1.PersistentVolumeClaim, err error) {
	only := metav1.ListOptions{LabelSelector: ownedSelector(app), ResourceVersion: "0"}
	err = together(
		list(ctx, c.core.Services(ns), only, "the Services of "+app,
			func(l *corev1.ServiceList) { services = l.Items }),
		list(ctx, c.core.PersistentVolumeClaims(ns), only, "the PersistentVolumeClaims of "+app,
			func(l *corev1.PersistentVolumeClaimList) { claims = l.Items }),
	)
	return services, claims, err
}

// AppNames lists the apps that norn has in a namespace, by name. What may not be listed is left out, and is the error.
func (c *Client) AppNames(ctx context.Context, ns string) ([]string, error) {
	var deployments, cronJobs, functions []string
	err := together(
		list(ctx, c.apps.Deployments(ns), inMemory(madeByNorn), "the Deployments in namespace "+ns, func(l *appsv1.DeploymentList) {
			for i := range l.Items {
				deployments = append(deployments, l.Items[i].Labels[metadata.AppLabel])
			}
		}),
		list(ctx, c.batch.CronJobs(ns), inMemory(madeByNorn), "the CronJobs in namespace "+ns, func(l *batchv1.CronJobList) {
			for i := range l.Items {
				cronJobs = append(cronJobs, l.Items[i].Labels[metadata.AppLabel])
			}
		}),
		list(ctx, c.core.PodTemplates(ns), inMemory(madeByNorn), "the PodTemplates in namespace "+ns, func(l *corev1.PodTemplateList) {
			for i := range l.Items {
				functions = append(functions, l.Items[i].Labels[metadata.AppLabel])
			}
		}),
	)
	names := sets.New(slices.Concat(deployments, cronJobs, functions)...)
	names.Delete("")
	return sets.List(names), err
}
