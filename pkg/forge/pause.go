package forge

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
)

// currentDeployment returns the live Deployment. A deploy takes minutes between its first look at the cluster and the
// change, so it looks again.
func (r *run) currentDeployment(ctx context.Context) (*appsv1.Deployment, error) {
	if !r.options.DeployFollows || r.live.deployment == nil {
		return r.live.deployment, nil
	}
	live, err := r.cluster.GetDeployment(ctx, r.options.Namespace, r.spec.Workload())
	if k8s.IsNotFound(err) {
		return nil, nil //nolint:nilnil // somebody deleted it; the apply creates it again
	}
	if err != nil {
		return nil, err
	}
	return live, objects.CheckOwner(objects.KindDeployment, live, r.spec.App)
}

// pausedForDeploy reports whether to pause a Deployment until the deploy that follows: if the Pod template changes. The
// API server says so in a dry run: only it knows which fields an apply removes. A Deployment that an interrupted deploy
// has paused stays paused: without that, the apply would start the old image with the new template.
func (r *run) pausedForDeploy(
	ctx context.Context, live *appsv1.Deployment, conf *applyapps.DeploymentApplyConfiguration,
) (bool, error) {
	if !r.options.DeployFollows || live == nil || live.Spec.Paused {
		return r.options.DeployFollows && live != nil, nil
	}
	dry := *r
	dry.cluster, dry.dry = r.cluster.DryRun(), true
	strategy := conf.Spec.Strategy
	planned, err := dry.applyDeployment(ctx, live, conf)
	conf.Spec.Strategy = strategy
	if err != nil {
		return false, err
	}
	return !equality.Semantic.DeepEqual(live.Spec.Template, planned.Spec.Template), nil
}
