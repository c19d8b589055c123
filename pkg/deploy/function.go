package deploy

import (
	"context"
	"time"

	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

func (r *run) currentFunction(ctx context.Context) (liveWorkload, error) {
	t, err := r.cluster.GetPodTemplate(ctx, r.options.Namespace, r.spec.App)
	if k8s.IsNotFound(err) {
		return liveWorkload{}, nil
	}
	if err == nil {
		err = r.checkOwner("PodTemplate", t)
	}
	if err != nil {
		return liveWorkload{}, err
	}
	image := metadata.ImageOf(t.Template.Spec, r.spec.App)
	return liveWorkload{
		pod:      t.Template.Spec,
		image:    image,
		migrated: t.Annotations[metadata.MigratedAnnotation],
		verified: true,
		commit:   metadata.Shipped(t.Annotations, image)[metadata.CommitAnnotation],
		shipped:  t.Annotations[metadata.ImageAnnotation] == image,
	}, nil
}

// register records release as the version that the next call runs. before is the previous image.
func (r *run) register(ctx context.Context, release k8s.Release, before string) (pipeline.Result, error) {
	conf := applycore.PodTemplate(r.spec.App, r.options.Namespace).WithLabels(objects.Labels(r.spec))
	t, err := r.cluster.ApplyPodTemplate(ctx, conf, release)
	var expires time.Time
	if err == nil {
		expires, err = forge.Expiry(ctx, r.cluster, r.spec)
	}
	if err == nil {
		t, err = k8s.MarkOwned(ctx, r.cluster, t, k8s.Mark{Repository: r.repo, Expires: expires})
	}
	if err != nil {
		return pipeline.Result{}, err
	}
	result := pipeline.Result{
		State:  pipeline.Done,
		Detail: "the next norn invoke runs " + metadata.ImageOf(t.Template.Spec, r.spec.App),
	}
	if before == release.Image {
		result.State = pipeline.Unchanged
	}
	return result, nil
}
