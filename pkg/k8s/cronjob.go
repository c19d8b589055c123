package k8s

import (
	"context"

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
