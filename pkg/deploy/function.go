package deploy

import (
	"context"

	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

func (r *run) currentFunction(ctx context.Context) (running, error) {
	t, err := r.cluster.GetPodTemplate(ctx, r.options.Namespace, r.spec.App)
	if k8s.IsNotFound(err) {
		return running{}, nil
	}
	if err == nil {
		err = objects.CheckOwner("PodTemplate", t, r.spec.App)
	}
	if err != nil {
		return running{}, err
	}
	return running{image: k8s.ImageOf(t.Template.Spec, r.spec.App), migrated: t.Annotations[metadata.MigratedAnnotation], good: true}, nil
}

// register makes the version the one that the next call runs.
func (r *run) register(ctx context.Context, release k8s.Release) (pipeline.Result, error) {
	conf := applycore.PodTemplate(r.spec.App, r.options.Namespace).WithLabels(objects.Labels(r.spec))
	t, err := r.cluster.ApplyPodTemplate(ctx, conf, release)
	if err != nil {
		return pipeline.Result{}, err
	}
	result := pipeline.Result{State: pipeline.Done, Detail: "the next norn invoke runs " + k8s.ImageOf(t.Template.Spec, r.spec.App)}
	if r.before.image == release.Image {
		result.State = pipeline.Unchanged
	}
	return result, nil
}
