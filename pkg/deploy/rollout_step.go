package deploy

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"reflect"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// rollout gives the version to the app's workload, and waits until it runs.
func (r *run) rollout(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	policy, err := objects.PullPolicy(r.image)
	if err != nil {
		return pipeline.Result{}, err
	}
	release := k8s.Release{
		Image: r.image, PullPolicy: policy, Commit: r.source.Version(), Cause: r.cause(), By: r.options.User,
		SecretVersion: r.secretVersion, Migrated: r.migrated,
	}
	if r.runsAlready() {
		release.Migrated = r.before.migrated
	}
	switch r.spec.Role {
	case infraspec.Cron:
		return r.schedule(ctx, release)
	case infraspec.Function:
		return r.register(ctx, release)
	case infraspec.Webserver, infraspec.Worker:
	}
	change := func(ctx context.Context) (*appsv1.Deployment, error) {
		before, err := r.cluster.GetDeployment(ctx, r.options.Namespace, r.spec.App)
		if err != nil {
			return nil, err
		}
		after, err := r.cluster.SetImage(ctx, r.options.Namespace, r.spec.App, release)
		again := r.options.Force || r.before.failed // whatever kept the same version from coming up may be gone, and its pods wait ever longer
		if err == nil && again && reflect.DeepEqual(before.Spec.Template, after.Spec.Template) {
			return r.cluster.RestartDeployment(ctx, r.options.Namespace, r.spec.App, time.Now())
		}
		return after, err
	}
	result, err := rollout.Run(ctx, r.cluster, out, r.options.Target, change)
	if err == nil && result.State == pipeline.Unchanged {
		result.Detail += "; nothing has changed (--force replaces the pods)"
	}
	return result, err
}

// cause is the line that kubectl rollout history shows for this revision. It holds no time (the ReplicaSet has one), so that a
// deploy of what runs already changes nothing.
func (r *run) cause() string {
	what := r.image
	if r.source.Commit != "" {
		what = r.source.Tag()
	}
	return fmt.Sprintf("norn deploy %s by %s", what, r.options.User)
}

// version is how this version is called where a commit would be: its tag, or its image.
func (r *run) version() string { return cmp.Or(r.source.TagOrEmpty(), r.image) }
