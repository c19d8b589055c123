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

// rollout returns the step that sets the version on the app's workload and waits until it runs. migrated is the
// version whose migration this deploy ran, or "".
func (r *run) rollout(s shipment, migrated, secretVersion string) pipeline.Step[pipeline.None] {
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		policy, err := objects.PullPolicy(s.image)
		if err != nil {
			return pipeline.Result{}, err
		}
		release := k8s.Release{
			Image: s.image, PullPolicy: policy, Commit: s.tree.Version(), Cause: s.cause(r.options.User), By: r.options.User,
			SecretVersion: secretVersion, Migrated: migrated,
		}
		if r.runsAlready(s) {
			release.Migrated = s.live.migrated
		}
		switch r.spec.Role {
		case infraspec.Cron:
			return r.schedule(ctx, release)
		case infraspec.Function:
			return r.register(ctx, release, s.live.image)
		case infraspec.Webserver, infraspec.Worker:
		}
		return r.replacePods(ctx, out, release, s.live)
	}
	return pipeline.Step[pipeline.None]{Name: "rollout", Run: pipeline.Act(run), Plan: planned(r.planRollout(s))}
}

// replacePods sets release on the app's Deployment and waits until its Pods run. If the current version has failed,
// replacePods replaces its Pods even if release is the same. The cause may be gone, and the kubelet waits longer after
// each attempt.
func (r *run) replacePods(
	ctx context.Context, out io.Writer, release k8s.Release, live liveApp,
) (pipeline.Result, error) {
	t := r.options.Target
	if r.options.VersionOnly {
		t.Omitted = live.differs
	}
	change := func(ctx context.Context) (*appsv1.Deployment, error) {
		before, err := r.cluster.GetDeployment(ctx, r.options.Namespace, r.spec.App)
		if err != nil {
			return nil, err
		}
		after, err := r.cluster.SetImage(ctx, r.options.Namespace, r.spec.App, release)
		if err == nil && (r.options.Force || live.failed) && reflect.DeepEqual(before.Spec.Template, after.Spec.Template) {
			return r.cluster.RestartDeployment(ctx, r.options.Namespace, r.spec.App, time.Now())
		}
		return after, err
	}
	result, err := rollout.Run(ctx, r.cluster, out, t, change)
	if err == nil && result.State == pipeline.Unchanged {
		result.Detail += "; no changes (--force replaces the Pods)"
	}
	return result, err
}

func (r *run) planRollout(s shipment) string {
	from := cmp.Or(s.live.image, "nothing")
	switch {
	case r.runsAlready(s):
		return s.image + " is already running"
	case r.spec.Role == infraspec.Cron:
		return fmt.Sprintf("the next run uses %s, the last used %s", s.image, from)
	case r.spec.Role == infraspec.Function:
		return fmt.Sprintf("the next call uses %s, the last used %s", s.image, from)
	}
	pods := "Pods"
	if r.spec.Replicas == 1 {
		pods = "Pod"
	}
	return fmt.Sprintf("%d %s of %s instead of %s", r.spec.Replicas, pods, s.image, from)
}

// cause returns the line that kubectl rollout history shows for this revision. It contains no time, because deploying
// a running version again must change nothing. The ReplicaSet records the time anyway.
func (s shipment) cause(user string) string {
	return fmt.Sprintf("norn deploy %s by %s", s.version(), user)
}

// version returns the commit's tag, or the image if it was not built from a commit.
func (s shipment) version() string { return cmp.Or(s.tree.TagOrEmpty(), s.image) }
