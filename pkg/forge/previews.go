package forge

import (
	"cmp"
	"context"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// Preview is a preview in the cluster, as its objects describe it.
type Preview struct {
	Environment string // such as preview/pr-12
	App         string // its app in the cluster, such as shop-pr-12
	Namespace   string
	Created     time.Time // when its oldest object was created
	Expires     time.Time // or zero if no object tells
	Version     string    // commit or image, or "" before the first deploy
}

// Base returns the app that the preview is a copy of.
func (p Preview) Base() string { return infraspec.BaseOf(p.App, p.Environment) }

// Expired reports whether the preview has expired at a time.
func (p Preview) Expired(now time.Time) bool { return !p.Expires.IsZero() && !p.Expires.After(now) }

// Previews returns the previews in a namespace, or in all if ns is "", sorted by app and namespace. A preview expires
// when the last of its objects does: a deploy that was killed has renewed only some.
func Previews(ctx context.Context, cluster *k8s.Client, ns string) ([]Preview, error) {
	all, err := cluster.InEnvironments(ctx, ns)
	return PreviewsOf(all), err
}

// PreviewsOf returns the previews that objects belong to; see Previews.
func PreviewsOf(all []metadata.Object) []Preview {
	found := map[Preview]*Preview{}
	for _, o := range all {
		key := Preview{
			Environment: metadata.EnvironmentOf(o), App: o.GetLabels()[metadata.AppLabel], Namespace: o.GetNamespace(),
		}
		if key.Base() == key.App { // not a preview
			continue
		}
		if found[key] == nil {
			p := key
			found[key] = &p
		}
		found[key].add(o)
	}
	var out []Preview
	for _, p := range found {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Preview) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Namespace, b.Namespace))
	})
	return out
}

// add adds what an object tells about the preview.
func (p *Preview) add(o metadata.Object) {
	if at := o.GetCreationTimestamp().Time; p.Created.IsZero() || at.Before(p.Created) {
		p.Created = at
	}
	p.Expires = later(p.Expires, metadata.Expires(o))
	if o.GetName() != p.App || !objects.Deployed(o) {
		return
	}
	var pod corev1.PodSpec
	switch o := o.(type) {
	case *appsv1.Deployment:
		pod = o.Spec.Template.Spec
	case *batchv1.CronJob:
		pod = o.Spec.JobTemplate.Spec.Template.Spec
	case *corev1.PodTemplate:
		pod = o.Template.Spec
	default:
		return
	}
	image := metadata.ImageOf(pod, p.App)
	p.Version = metadata.VersionName(metadata.Shipped(o.GetAnnotations(), image)[metadata.CommitAnnotation], image)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
