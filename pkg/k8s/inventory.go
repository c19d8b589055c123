package k8s

import (
	"context"
	"errors"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
		only.LabelSelector = ours(app)
	}
	calls := []func() error{
		func() error {
			l, err := c.apps.Deployments(ns).List(ctx, only)
			if err == nil {
				inv.Deployments = l.Items
			}
			return explain(err, "list the Deployments in namespace %s", ns)
		},
		func() error {
			l, err := c.batch.CronJobs(ns).List(ctx, only)
			if err == nil {
				inv.CronJobs = l.Items
			}
			return explain(err, "list the CronJobs in namespace %s", ns)
		},
		func() error {
			l, err := c.core.Services(ns).List(ctx, only)
			if err == nil {
				inv.Services = l.Items
			}
			return explain(err, "list the Services in namespace %s", ns)
		},
		func() error {
			l, err := c.core.PersistentVolumeClaims(ns).List(ctx, only)
			if err == nil {
				inv.Claims = l.Items
			}
			return explain(err, "list the PersistentVolumeClaims in namespace %s", ns)
		},
	}
	calls = append(calls, func() error {
		l, err := c.core.PodTemplates(ns).List(ctx, only)
		if err == nil {
			inv.PodTemplates = l.Items
		}
		return explain(err, "list the PodTemplates in namespace %s", ns)
	})
	if app != "" {
		calls = append(calls, func() error {
			l, err := c.batch.Jobs(ns).List(ctx, metav1.ListOptions{LabelSelector: only.LabelSelector + "," + JobLabel})
			if err == nil {
				inv.Jobs = l.Items
			}
			return explain(err, "list the Jobs of %s", app)
		})
	}
	if err := together(calls...); err != nil {
		return nil, err
	}
	return &inv, nil
}

// Leftovers lists an app's Services and claims that norn made, from what the API server has in memory: a list of its latest state can take it
// forty milliseconds more. What was made within the last moments may be missing, so that only what may as well be
// found by the next run is looked for here.
func (c *Client) Leftovers(ctx context.Context, ns, app string) (services []corev1.Service, claims []corev1.PersistentVolumeClaim, err error) {
	only := metav1.ListOptions{LabelSelector: ours(app), ResourceVersion: "0"}
	err = together(
		func() error {
			l, err := c.core.Services(ns).List(ctx, only)
			if err == nil {
				services = l.Items
			}
			return explain(err, "list the Services of %s", app)
		},
		func() error {
			l, err := c.core.PersistentVolumeClaims(ns).List(ctx, only)
			if err == nil {
				claims = l.Items
			}
			return explain(err, "list the PersistentVolumeClaims of %s", app)
		},
	)
	return services, claims, err
}

// together makes calls side by side and returns the errors of those that failed, in their order.
func together(calls ...func() error) error {
	errs := make([]error, len(calls))
	var running sync.WaitGroup
	for i, call := range calls {
		running.Go(func() { errs[i] = call() })
	}
	running.Wait()
	return errors.Join(errs...)
}
