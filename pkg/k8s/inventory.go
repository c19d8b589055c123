package k8s

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"norn/pkg/k8s/metadata"
)

// Inventory holds the objects that norn manages in a namespace, for one app or for all.
type Inventory struct {
	Deployments []appsv1.Deployment
	CronJobs    []batchv1.CronJob
	Services    []corev1.Service
	Claims      []corev1.PersistentVolumeClaim
	// PodTemplates hold the deployed versions of function apps.
	PodTemplates []corev1.PodTemplate
	Jobs         []batchv1.Job // of norn run, norn invoke and migrations; only for one app
}

// Inventory lists the objects that norn manages in a namespace, for one app or, if app is "", for all. It makes one
// call for each kind, concurrently. The Deployments' managed fields omit scalers that no longer exist.
func (c *Client) Inventory(ctx context.Context, ns, app string) (*Inventory, error) {
	var inv Inventory
	only := metav1.ListOptions{LabelSelector: managedSelector}
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
		list(ctx, c.core.PodTemplates(ns), only, "the PodTemplates in namespace "+ns,
			func(l *corev1.PodTemplateList) { inv.PodTemplates = l.Items }),
	}
	if app != "" {
		jobs := metav1.ListOptions{LabelSelector: only.LabelSelector + "," + metadata.JobLabel}
		calls = append(calls, list(ctx, c.batch.Jobs(ns), jobs, "the Jobs of "+app,
			func(l *batchv1.JobList) { inv.Jobs = l.Items }))
	}
	if err := together(calls...); err != nil {
		return nil, err
	}
	var deployments []*appsv1.Deployment
	for i := range inv.Deployments {
		deployments = append(deployments, &inv.Deployments[i])
	}
	c.forgetStaleScalers(ctx, ns, deployments...)
	return &inv, nil
}

// ListOwned lists the Services and claims that norn manages for an app. It reads the API server's cache, because a list
// of the latest state can take forty milliseconds more. An object created moments ago may be missing, so use ListOwned
// only for what the next run can find too.
func (c *Client) ListOwned(ctx context.Context, ns, app string) (
	services []corev1.Service, claims []corev1.PersistentVolumeClaim, err error) {
	only := metav1.ListOptions{LabelSelector: ownedSelector(app), ResourceVersion: "0"}
	err = together(
		list(ctx, c.core.Services(ns), only, "the Services of "+app,
			func(l *corev1.ServiceList) { services = l.Items }),
		list(ctx, c.core.PersistentVolumeClaims(ns), only, "the PersistentVolumeClaims of "+app,
			func(l *corev1.PersistentVolumeClaimList) { claims = l.Items }),
	)
	return services, claims, err
}

// AppNames returns the names of the apps that norn manages in a namespace, sorted. If it cannot list some kinds, it
// returns the other names with an error.
func (c *Client) AppNames(ctx context.Context, ns string) ([]string, error) {
	var deployments, cronJobs, functions []string
	managed := cached(managedSelector)
	err := together(
		list(ctx, c.apps.Deployments(ns), managed, "the Deployments in namespace "+ns,
			func(l *appsv1.DeploymentList) { deployments = appsOf(l.Items) }),
		list(ctx, c.batch.CronJobs(ns), managed, "the CronJobs in namespace "+ns,
			func(l *batchv1.CronJobList) { cronJobs = appsOf(l.Items) }),
		list(ctx, c.core.PodTemplates(ns), managed, "the PodTemplates in namespace "+ns,
			func(l *corev1.PodTemplateList) { functions = appsOf(l.Items) }),
	)
	names := sets.New(slices.Concat(deployments, cronJobs, functions)...)
	names.Delete("")
	return sets.List(names), err
}

// appsOf returns the apps of objects, by their label.
func appsOf[T any, P interface {
	*T
	GetLabels() map[string]string
}](objects []T) []string {
	names := make([]string, len(objects))
	for i := range objects {
		names[i] = P(&objects[i]).GetLabels()[metadata.AppLabel]
	}
	return names
}
