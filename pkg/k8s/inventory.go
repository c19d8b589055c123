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
		func() error {
			l, err := c.apps.Deployments(ns).List(ctx, only)
			if err == nil {
				inv.Deployments = l.Items
			}
			return Explain(err, "list the Deployments in namespace %s", ns)
		},
		func() error {
			l, err := c.batch.CronJobs(ns).List(ctx, only)
			if err == nil {
				inv.CronJobs = l.Items
			}
			return Explain(err, "list the CronJobs in namespace %s", ns)
		},
		func() error {
			l, err := c.core.Services(ns).List(ctx, only)
			if err == nil {
				inv.Services = l.Items
			}
			return Explain(err, "list the Services in namespace %s", ns)
		},
		func() error {
			l, err := c.core.PersistentVolumeClaims(ns).List(ctx, only)
			if err == nil {
				inv.Claims = l.Items
			}
			return Explain(err, "list the PersistentVolumeClaims in namespace %s", ns)
		},
	}
	calls = append(calls, func() error {
		l, err := c.core.PodTemplates(ns).List(ctx, only)
		if err == nil {
			inv.PodTemplates = l.Items
		}
		return Explain(err, "list the PodTemplates in namespace %s", ns)
	})
	if app != "" {
		calls = append(calls, func() error {
			l, err := c.batch.Jobs(ns).List(ctx, metav1.ListOptions{LabelSelector: only.LabelSelector + "," + metadata.JobLabel})
			if err == nil {
				inv.Jobs = l.Items
			}
			return Explain(err, "list the Jobs of %s", app)
		})
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
		func() error {
			l, err := c.core.Services(ns).List(ctx, only)
			if err == nil {
				services = l.Items
			}
			return Explain(err, "list the Services of %s", app)
		},
		func() error {
			l, err := c.core.PersistentVolumeClaims(ns).List(ctx, only)
			if err == nil {
				claims = l.Items
			}
			return Explain(err, "list the PersistentVolumeClaims of %s", app)
		},
	)
	return services, claims, err
}

// AppNames lists the apps that norn has in a namespace, by name. What may not be listed is left out, and is the error.
func (c *Client) AppNames(ctx context.Context, ns string) ([]string, error) {
	var deployments, cronJobs, functions []string
	err := together(
		func() error {
			l, err := c.apps.Deployments(ns).List(ctx, inMemory(madeByNorn))
			if err == nil {
				for i := range l.Items {
					deployments = append(deployments, l.Items[i].Labels[metadata.AppLabel])
				}
			}
			return Explain(err, "list the Deployments in namespace %s", ns)
		},
		func() error {
			l, err := c.batch.CronJobs(ns).List(ctx, inMemory(madeByNorn))
			if err == nil {
				for i := range l.Items {
					cronJobs = append(cronJobs, l.Items[i].Labels[metadata.AppLabel])
				}
			}
			return Explain(err, "list the CronJobs in namespace %s", ns)
		},
		func() error {
			l, err := c.core.PodTemplates(ns).List(ctx, inMemory(madeByNorn))
			if err == nil {
				for i := range l.Items {
					functions = append(functions, l.Items[i].Labels[metadata.AppLabel])
				}
			}
			return Explain(err, "list the PodTemplates in namespace %s", ns)
		},
	)
	names := sets.New(slices.Concat(deployments, cronJobs, functions)...)
	names.Delete("")
	return sets.List(names), err
}
