package objects

import (
	appsv1 "k8s.io/api/apps/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// failedRevisions is the number of revisions that Kubernetes keeps in addition to artifacts.retain, so that failed
// deploys do not displace the versions to go back to. norn deletes the surplus after a rollout.
const failedRevisions = 10

// Deployment returns the app's Deployment. A nil start leaves image, pull policy and paused to their owner, the deploy.
func Deployment(spec *infraspec.Spec, s Settings, start *Start) (*applyapps.DeploymentApplyConfiguration, error) {
	pod, err := podFor(spec, s, start)
	if err != nil {
		return nil, err
	}
	d := applyapps.DeploymentSpec().
		WithReplicas(int32(spec.Replicas)).                                       //nolint:gosec // infraspec checked it
		WithRevisionHistoryLimit(int32(spec.Artifacts.Retain + failedRevisions)). //nolint:gosec // likewise
		WithSelector(applymeta.LabelSelector().WithMatchLabels(map[string]string{metadata.AppLabel: spec.App})).
		WithTemplate(applycore.PodTemplateSpec().WithLabels(Labels(spec)).WithSpec(pod))
	d.WithStrategy(applyapps.DeploymentStrategy().WithType(strategy(spec)))
	if start != nil {
		d.WithPaused(start.Paused)
	}
	return applyapps.Deployment(spec.App, s.Namespace).WithLabels(Labels(spec)).WithSpec(d), nil
}

// strategy returns Recreate for an app with a claim: pods on different nodes cannot mount a ReadWriteOnce volume at
// once.
func strategy(spec *infraspec.Spec) appsv1.DeploymentStrategyType {
	if len(ClaimedVolumes(spec)) > 0 {
		return appsv1.RecreateDeploymentStrategyType
	}
	return appsv1.RollingUpdateDeploymentStrategyType
}
