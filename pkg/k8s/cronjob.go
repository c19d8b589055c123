package k8s

import (
	"context"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applybatch "k8s.io/client-go/applyconfigurations/batch/v1"

	"norn/pkg/k8s/metadata"
)

// GetCronJob reads a CronJob; see IsNotFound.
func (c *Client) GetCronJob(ctx context.Context, ns, name string) (*batchv1.CronJob, error) {
	j, err := c.batch.CronJobs(ns).Get(ctx, name, metav1.GetOptions{})
	return j, Explain(err, "read CronJob %s", name)
}

// CronRuns lists the Jobs of a CronJob, newest first: Jobs that its schedule started, and Jobs that users created
// from it.
func (c *Client) CronRuns(ctx context.Context, cron *batchv1.CronJob) ([]batchv1.Job, error) {
	l, err := c.batch.Jobs(cron.Namespace).List(ctx, metav1.ListOptions{LabelSelector: appSelector(cron.Name)})
	if err != nil {
		return nil, Explain(err, "list the Jobs of CronJob %s", cron.Name)
	}
	runs := slices.DeleteFunc(l.Items, func(j batchv1.Job) bool {
		return !slices.ContainsFunc(j.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == cron.UID })
	})
	slices.SortStableFunc(runs, func(a, b batchv1.Job) int {
		return b.CreationTimestamp.Compare(a.CreationTimestamp.Time)
	})
	return runs, nil
}

// CreateCronJob creates or updates a CronJob.
func (c *Client) CreateCronJob(ctx context.Context,
	conf *applybatch.CronJobApplyConfiguration) (*batchv1.CronJob, error) {
	j, err := apply(ctx, c, c.batch.CronJobs(*conf.Namespace), metadata.ForgeManager, conf)
	return j, Explain(err, "apply CronJob %s", *conf.Name)
}

// SetCronJobImage sets a release in the container named like the CronJob, and resumes the schedule.
func (c *Client) SetCronJobImage(ctx context.Context, ns, name string, r Release) (*batchv1.CronJob, error) {
	conf := applybatch.CronJob(name, ns).
		WithAnnotations(r.annotations()).
		WithSpec(applybatch.CronJobSpec().WithSuspend(false).WithJobTemplate(applybatch.JobTemplateSpec().WithSpec(
			applybatch.JobSpec().WithTemplate(r.template(name)))))
	j, err := apply(ctx, c, c.batch.CronJobs(ns), metadata.DeployManager, conf)
	return j, Explain(err, "set the image of CronJob %s", name)
}

// DeleteCronJob deletes a CronJob with its Jobs and pods. A missing CronJob is not an error.
func (c *Client) DeleteCronJob(ctx context.Context, ns, name string) error {
	return Explain(c.remove(ctx, c.batch.CronJobs(ns), name), "delete CronJob %s", name)
}
