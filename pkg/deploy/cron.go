package deploy

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// cronJob returns the app's CronJob, which must exist and be norn's own.
func (r *run) cronJob(ctx context.Context) (*batchv1.CronJob, error) {
	c, err := r.cluster.GetCronJob(ctx, r.options.Namespace, r.options.App)
	if k8s.IsNotFound(err) {
		return nil, notForged("CronJob", r.options.Target)
	}
	if err == nil {
		err = objects.CheckOwner("CronJob", c, r.options.App)
	}
	return c, err
}

// schedule sets release on the app's CronJob. The next run uses it, so there is nothing to wait for.
func (r *run) schedule(ctx context.Context, release k8s.Release) (pipeline.Result, error) {
	before, err := r.cronJob(ctx)
	if err != nil {
		return pipeline.Result{}, err
	}
	after, err := r.cluster.SetCronJobImage(ctx, r.options.Namespace, r.options.App, release)
	if err != nil {
		return pipeline.Result{}, err
	}
	state := pipeline.Done
	if before.ResourceVersion == after.ResourceVersion {
		state = pipeline.Unchanged
	}
	return pipeline.Result{State: state, Detail: "runs at " + after.Spec.Schedule}, nil
}
