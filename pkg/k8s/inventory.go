package k8s

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"

	"norn/pkg/k8s/metadata"
)

// Inventory holds the objects that norn manages in a namespace, for one app or for all.
type Inventory struct {
	Deployments []appsv1.Deployment
	CronJobs    []batchv1.CronJob
	Services    []corev1.Service
	Claims      []corev1.PersistentVolumeClaim
	Ingresses   []networkingv1.Ingress
	HTTPRoutes  []unstructured.Unstructured
	// IngressesDenied and HTTPRoutesDenied are whether the user cannot list them.
	IngressesDenied, HTTPRoutesDenied bool
	// OtherDisruptionBudgets are all that norn does not manage.
	DisruptionBudgets, OtherDisruptionBudgets []policyv1.PodDisruptionBudget
	// DisruptionBudgetsDenied is whether the user cannot list the PodDisruptionBudgets.
	DisruptionBudgetsDenied bool
	// PodTemplates hold the deployed versions of function apps.
	PodTemplates []corev1.PodTemplate
	Jobs         []batchv1.Job // of norn run, norn invoke, migrations and verify; only for one app
	Runs         []batchv1.Job // of cron apps; only for all apps
	// Foreign are the objects with norn's labels that norn does not manage, such as copies.
	Foreign []*ForeignError
}

// Inventory lists the objects that norn manages in a namespace, for one app or, if app is "", for all. It makes one
// call for each kind, concurrently, and then one for the runs of cron apps. The Deployments' managed fields omit
// scalers that no longer exist.
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
		c.disruptionBudgets(ctx, ns, app, &inv),
		optional(list(ctx, c.networking.Ingresses(ns), only, "the Ingresses in namespace "+ns,
			func(l *networkingv1.IngressList) { inv.Ingresses = l.Items }), &inv.IngressesDenied),
		optional(list(ctx, c.httpRoutes(ns), only, "the HTTPRoutes in namespace "+ns,
			func(l *unstructured.UnstructuredList) { inv.HTTPRoutes = l.Items }), &inv.HTTPRoutesDenied),
	}
	if app != "" {
		jobs := metav1.ListOptions{LabelSelector: only.LabelSelector + "," + metadata.JobLabel}
		calls = append(calls, list(ctx, c.batch.Jobs(ns), jobs, "the Jobs of "+app,
			func(l *batchv1.JobList) { inv.Jobs = l.Items }))
	}
	if err := together(calls...); err != nil {
		return nil, err
	}
	if app == "" && len(inv.CronJobs) > 0 {
		runs := metav1.ListOptions{LabelSelector: only.LabelSelector + ",!" + metadata.JobLabel}
		list := list(ctx, c.batch.Jobs(ns), runs, "the Jobs in namespace "+ns,
			func(l *batchv1.JobList) { inv.Runs = l.Items })
		if err := list(); err != nil {
			return nil, err
		}
	}
	inv.dropForeign()
	var deployments []*appsv1.Deployment
	for i := range inv.Deployments {
		deployments = append(deployments, &inv.Deployments[i])
	}
	c.forgetStaleScalers(ctx, ns, deployments...)
	return &inv, nil
}

// dropForeign moves the objects that norn does not manage to Foreign.
func (i *Inventory) dropForeign() {
	i.Deployments = owned(i.Deployments, &i.Foreign)
	i.CronJobs = owned(i.CronJobs, &i.Foreign)
	i.Services = owned(i.Services, &i.Foreign)
	i.Claims = owned(i.Claims, &i.Foreign)
	i.PodTemplates = owned(i.PodTemplates, &i.Foreign)
	i.Jobs = owned(i.Jobs, &i.Foreign)
	i.Ingresses = owned(i.Ingresses, &i.Foreign)
	i.HTTPRoutes = owned(i.HTTPRoutes, &i.Foreign)
}

// object is a pointer to an API object.
type object[T any] interface {
	*T
	metadata.Object
}

// owned returns the items that norn manages, and adds the others to foreign, unless it is nil. All items have norn's
// labels.
func owned[T any, P object[T]](items []T, foreign *[]*ForeignError) []T {
	var out []T
	for i := range items {
		o := P(&items[i])
		if metadata.IsOwned(o, o.GetLabels()[metadata.AppLabel]) {
			out = append(out, items[i])
		} else if foreign != nil {
			*foreign = append(*foreign, &ForeignError{Kind: Kind(o), Name: o.GetName()})
		}
	}
	return out
}

// ListOwned lists the Services and claims that norn manages for an app, and the workloads of its processes other than
// the main one, unless the user cannot list those. It reads the API server's cache, because a list of the latest state
// can take forty milliseconds more. An object created moments ago may be missing, so use ListOwned only for what the
// next run can find too.
func (c *Client) ListOwned(ctx context.Context, ns, app string) (*Inventory, error) {
	var inv Inventory
	only := cached(ownedSelector(app))
	err := together(append(c.listProcesses(ctx, ns, app, only.ResourceVersion, &inv),
		list(ctx, c.core.Services(ns), only, "the Services of "+app,
			func(l *corev1.ServiceList) { inv.Services = l.Items }),
		list(ctx, c.core.PersistentVolumeClaims(ns), only, "the PersistentVolumeClaims of "+app,
			func(l *corev1.PersistentVolumeClaimList) { inv.Claims = l.Items }),
	)...)
	inv.dropForeign()
	return &inv, err
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

// appsOf returns the apps of the objects that norn manages, by their label.
func appsOf[T any, P object[T]](objects []T) []string {
	var names []string
	for i := range objects {
		o := P(&objects[i])
		if app := o.GetLabels()[metadata.AppLabel]; metadata.IsOwned(o, app) {
			names = append(names, app)
		}
	}
	return names
}
