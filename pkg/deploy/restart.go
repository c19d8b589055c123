package deploy

import (
	"context"
	"io"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// Restart replaces an app's Pods one by one, and waits until the new ones run.
func Restart(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, t rollout.Target) error {
	t.KeepFailed = "a restart does not change the version"
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		d, err := forged(ctx, cluster, t)
		if err != nil {
			return pipeline.Result{}, err
		}
		if d.Spec.Paused {
			return pipeline.Result{}, paused(d)
		}
		return rollout.Run(ctx, cluster, out, t, func(ctx context.Context) (*appsv1.Deployment, error) {
			return cluster.RestartDeployment(ctx, t.Namespace, t.App, time.Now())
		})
	}
	step := pipeline.Step[pipeline.None]{Name: "rollout", Run: pipeline.Act(run)}
	return t.WithLock(ctx, cluster, to, func(ctx context.Context) error {
		if err := checkClaims(ctx, cluster, t); err != nil {
			return err
		}
		_, err := pipeline.RunStep(ctx, pipeline.Runner{To: to}, step)
		return err
	})
}

// paused returns the error for a restart of a paused Deployment, whose Pods Kubernetes does not replace. norn pauses a
// Deployment only until its first deploy.
func paused(d *appsv1.Deployment) error {
	if d.Status.Replicas == 0 {
		return &pipeline.UsageError{
			Problem: d.Name + " has not been deployed yet: there is nothing to restart",
			Advice:  "deploy it with norn deploy",
		}
	}
	return &pipeline.UsageError{
		Problem: d.Name + " is paused, so its Pods cannot be replaced",
		Advice:  "resume it with kubectl rollout resume deployment/" + d.Name + ", or with norn deploy",
	}
}
