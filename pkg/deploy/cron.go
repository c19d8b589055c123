package deploy

import (
	"context"
	"io"

	batchv1 "k8s.io/api/batch/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// cronJob returns the CronJob of a process, which must exist and be norn's own.
func (r *run) cronJob(ctx context.Context, spec *infraspec.Spec) (*batchv1.CronJob, error) {
	c, err := r.cluster.GetCronJob(ctx, r.options.Namespace, spec.Workload())
	if k8s.IsNotFound(err) {
		return nil, notForged("CronJob", r.target(spec))
	}
	if err == nil {
		err = r.checkOwner(objects.KindCronJob, c)
	}
	return c, err
}

// schedule sets the shipped release on the CronJob of a process. The next run uses it, so there is nothing to wait for.
func (r *run) schedule(
	ctx context.Context, out io.Writer, spec *infraspec.Spec, s released,
) (pipeline.Result, error) {
	before, err := r.cronJob(ctx, spec)
	if err != nil {
		return pipeline.Result{}, err
	}
	release := s.release
	release.Platforms = s.platformsOf(out, before, before.Spec.JobTemplate.Spec.Template.Spec)
	after, err := r.cluster.SetCronJobImage(ctx, r.options.Namespace, spec.Workload(), release)
	if err != nil {
		return pipeline.Result{}, err
	}
	state := pipeline.Done
	if before.ResourceVersion == after.ResourceVersion {
		state = pipeline.Unchanged
	}
	return pipeline.Result{State: state, Detail: "runs at " + after.Spec.Schedule}, nil
}
