package objects

import (
	appsv1 "k8s.io/api/apps/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"

	"norn/pkg/infraspec"
)

// failedRevisions is the number of revisions that Kubernetes keeps in addition to artifacts.retain, so that failed
// deploys do not displace the versions to go back to. norn deletes the surplus after a rollout.
const failedRevisions = 10

// Deployment returns the Deployment of a process. A nil start leaves image, pull policy and paused to their owner, the
// deploy.
func Deployment(spec *infraspec.Spec, s Settings, start *Start) (*applyapps.DeploymentApplyConfiguration, error) {
	pod, err := plainPod(spec, s, start)
	if err != nil {
		return nil, err
	}
	withoutLoss(pod, spec, s)
	if pod, err = overlaidPod(pod, spec); err != nil {
		return nil, err
	}
	d := applyapps.DeploymentSpec().
		WithReplicas(int32(spec.Replicas)).                                       //nolint:gosec // infraspec checked it
		WithRevisionHistoryLimit(int32(spec.Artifacts.Retain + failedRevisions)). //nolint:gosec // likewise
		WithSelector(applymeta.LabelSelector().WithMatchLabels(selector(spec))).
		WithTemplate(template(spec, pod))
	d.WithStrategy(applyapps.DeploymentStrategy().WithType(strategy(spec)))
	withSurgeFirst(d, spec)
	if start != nil {
		d.WithPaused(start.Paused)
	}
	made, err := overlaidDeployment(
		applyapps.Deployment(spec.Workload(), s.Namespace).WithLabels(Labels(spec)).WithSpec(d), spec)
	if err != nil {
		return nil, err
	}
	withDrainedSidecars(made.Spec.Template.Spec, spec, s)
	return made, nil
}

// strategy returns Recreate for an app with a claim that Pods on different nodes cannot mount at once.
func strategy(spec *infraspec.Spec) appsv1.DeploymentStrategyType {
	if _, i := spec.Exclusive(); i >= 0 {
		return appsv1.RecreateDeploymentStrategyType
	}
	return appsv1.RollingUpdateDeploymentStrategyType
}
