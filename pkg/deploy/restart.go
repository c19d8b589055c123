package deploy

import (
	"context"
	"io"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/internal/pipeline"
	"norn/pkg/forge"
	"norn/pkg/k8s"
)

// restartCluster is what a restart asks of a cluster.
type restartCluster interface {
	rolloutCluster
	RestartDeployment(ctx context.Context, ns, name string, at time.Time) (*appsv1.Deployment, error)
}

// Restart replaces all pods of app, one after the other, and waits until the new ones run.
func Restart(ctx context.Context, cluster restartCluster, to pipeline.Reporter, ns, app string, timeout time.Duration) error {
	return pipeline.Run(ctx, to, []pipeline.Step{{Name: "rollout", Run: func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		d, err := cluster.GetDeployment(ctx, ns, app)
		if k8s.IsNotFound(err) {
			return pipeline.Result{}, notForged(app, ns)
		}
		if err == nil {
			err = forge.Owned("Deployment", d, app)
		}
		if err != nil {
			return pipeline.Result{}, err
		}
		if d.Spec.Paused {
			return pipeline.Result{}, &UsageError{app + " has not been deployed yet: there is nothing to restart", "ship it with norn deploy " + app}
		}
		policy := RolloutPolicy{Timeout: timeout, NoRollback: true} // the version is the same before and after
		return roll(ctx, cluster, out, ns, app, policy, func(ctx context.Context) (*appsv1.Deployment, error) {
			return cluster.RestartDeployment(ctx, ns, app, time.Now())
		})
	}}})
}
