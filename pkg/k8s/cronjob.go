package k8s

import (
	"context"
	"encoding/json"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	applybatch "k8s.io/client-go/applyconfigurations/batch/v1"
	"k8s.io/client-go/util/csaupgrade"

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
	l, err := c.batch.Jobs(cron.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: appSelector(cron.Labels[metadata.AppLabel]),
	})
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

// SetCronJobImage sets a release in the app's container, and resumes the schedule.
func (c *Client) SetCronJobImage(ctx context.Context, ns, name string, r Release) (*batchv1.CronJob, error) {
	conf := applybatch.CronJob(name, ns).
		WithAnnotations(r.annotations()).
		WithSpec(applybatch.CronJobSpec().WithSuspend(false).WithJobTemplate(applybatch.JobTemplateSpec().WithSpec(
			applybatch.JobSpec().WithTemplate(r.template()))))
	j, err := apply(ctx, c, c.batch.CronJobs(ns), metadata.DeployManager, conf)
	return j, Explain(err, "set the image of CronJob %s", name)
}

// SuspendCronJob suspends the schedule of a CronJob until the next release.
func (c *Client) SuspendCronJob(ctx context.Context, ns, name string) error {
	patch, opts := []byte(`{"spec":{"suspend":true}}`), c.patchOptions(metadata.DeployManager)
	_, err := c.batch.CronJobs(ns).Patch(ctx, name, types.MergePatchType, patch, opts)
	return Explain(err, "suspend CronJob %s", name)
}

// RestoreCronJob sets a CronJob of an app to what it was before. It changes nothing if nobody has changed it since.
// forge owns the restored fields afterwards, except for those of the release.
func (c *Client) RestoreCronJob(ctx context.Context, before *batchv1.CronJob) error {
	client := c.batch.CronJobs(before.Namespace)
	live, err := client.Get(ctx, before.Name, metav1.GetOptions{})
	if err != nil || live.ResourceVersion == before.ResourceVersion {
		return Explain(err, "read CronJob %s", before.Name)
	}
	patch, err := json.Marshal([]map[string]any{{"op": "replace", "path": "/spec", "value": before.Spec}})
	if err != nil {
		return err
	}
	live, err = client.Patch(ctx, live.Name, types.JSONPatchType, patch, c.patchOptions(metadata.DeployManager))
	if err == nil {
		patch, err = csaupgrade.UpgradeManagedFieldsPatch(live, sets.New(metadata.DeployManager), metadata.ForgeManager)
	}
	if err == nil && patch != nil {
		_, err = client.Patch(ctx, live.Name, types.JSONPatchType, patch, c.patchOptions(metadata.ForgeManager))
	}
	if suspended := before.Spec.Suspend; err == nil && (suspended == nil || !*suspended) {
		r := releaseOf(before.Spec.JobTemplate.Spec.Template, before.Annotations, metadata.AppOf(before))
		_, err = c.SetCronJobImage(ctx, before.Namespace, before.Name, r)
	}
	return Explain(err, "restore CronJob %s", before.Name)
}
