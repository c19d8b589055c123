package forge

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// NextPods are the Pods of a Deployment after a forge.
type NextPods struct {
	Template *corev1.PodTemplateSpec
	Replicas int32
}

// NextPodsOf returns the Pods that the main process of an app has after a forge, with the fields that others have set.
// It asks the API server for a dry run.
func NextPodsOf(ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, o Options) (NextPods, error) {
	live, err := cluster.GetDeployment(ctx, o.Namespace, spec.Workload())
	if k8s.IsNotFound(err) {
		live, err = nil, nil
	}
	if err != nil {
		return NextPods{}, err
	}
	conf, _, err := objects.DeploymentFor(live, spec, o.Settings)
	if err != nil {
		return NextPods{}, err
	}
	r := &run{cluster: cluster.DryRun(), dry: true, spec: spec, options: o}
	now, err := r.applyDeployment(ctx, live, conf)
	if err != nil {
		return NextPods{}, err
	}
	return PodsOf(now), nil
}

// PodsOf returns the Pods of a Deployment as it is.
func PodsOf(d *appsv1.Deployment) NextPods {
	if k8s.IsAway(d) { // a deploy scales it back
		d = k8s.ScaledBack(d)
	}
	pods := NextPods{Template: &d.Spec.Template, Replicas: 1}
	if d.Spec.Replicas != nil {
		pods.Replicas = *d.Spec.Replicas
	}
	return pods
}
