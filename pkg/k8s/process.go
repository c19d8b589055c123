package k8s

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// ProcessWorkloads lists the Deployments and CronJobs that norn manages for an app's processes, except for the main
// one. It omits the kinds that the user cannot list.
func (c *Client) ProcessWorkloads(ctx context.Context, ns, app string) (*Inventory, error) {
	var inv Inventory
	err := together(c.listProcesses(ctx, ns, app, "", &inv)...)
	inv.dropForeign()
	return &inv, err
}

// listProcesses returns calls for together that list the workloads of an app's processes, except for the main one, at
// a version of the API server's cache, or the latest state. They omit the kinds that the user cannot list.
func (c *Client) listProcesses(ctx context.Context, ns, app, version string, inv *Inventory) []func() error {
	only := metav1.ListOptions{
		LabelSelector: ownedSelector(app) + "," + metadata.ProcessLabel, ResourceVersion: version,
	}
	return []func() error{
		ifAllowed(list(ctx, c.apps.Deployments(ns), only, "the Deployments of "+app,
			func(l *appsv1.DeploymentList) { inv.Deployments = l.Items })),
		ifAllowed(list(ctx, c.batch.CronJobs(ns), only, "the CronJobs of "+app,
			func(l *batchv1.CronJobList) { inv.CronJobs = l.Items })),
	}
}

// ProcessNames returns the names of an app's processes other than the main one that have a workload, sorted. It omits
// the kinds of workloads that the user cannot list.
func (c *Client) ProcessNames(ctx context.Context, ns, app string) ([]string, error) {
	inv, err := c.ProcessWorkloads(ctx, ns, app)
	var names []string
	for i := range inv.Deployments {
		names = append(names, inv.Deployments[i].Labels[metadata.ProcessLabel])
	}
	for i := range inv.CronJobs {
		names = append(names, inv.CronJobs[i].Labels[metadata.ProcessLabel])
	}
	slices.Sort(names)
	return slices.Compact(names), err
}
