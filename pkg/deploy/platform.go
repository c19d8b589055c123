package deploy

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/deploy/image"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/platform"
	"norn/pkg/pipeline"
)

// suitability says which nodes can run an image: the platforms of both, or none if they are unknown.
type suitability struct{ image, nodes []string }

// String describes the platforms for the result of the build step.
func (s suitability) String() string {
	if len(s.image) == 0 {
		return ""
	}
	text := " for " + strings.Join(s.image, ", ")
	if len(platform.Question{Image: s.image, Nodes: s.nodes}.Required()) > 0 {
		text += "; its Pods run only on such nodes"
	}
	return text
}

// choosePlatforms chooses the platforms to build for.
func (r *run) choosePlatforms(ctx context.Context, out io.Writer, builder image.Builder) (suitability, error) {
	nodes, err := r.cluster.Platforms(ctx)
	if err != nil {
		return suitability{}, err
	}
	platforms, err := image.ChoosePlatforms(r.spec.Build.Platforms, nodes, r.local.Kind != "")
	if err != nil {
		return suitability{}, err
	}
	if len(platforms) > 1 {
		if err := image.CheckIndex(ctx, builder); err != nil {
			return suitability{}, err
		}
	}
	s := suitability{platforms, nodes}
	s.warnUnsuitable(out)
	return s, nil
}

// suitabilityOf returns the platforms of an existing image. It asks the registry only if they can matter. For an image
// that was loaded into nodes, it returns none.
func (r *run) suitabilityOf(ctx context.Context, out io.Writer, name string, live liveApp) (suitability, error) {
	if policy, err := objects.PullPolicy(name); err != nil || policy == corev1.PullNever {
		return suitability{}, err
	}
	nodes, err := r.cluster.Platforms(ctx)
	if err != nil {
		return suitability{}, err
	}
	s := suitability{nodes: nodes}
	required := platform.Of(live.pod)
	if len(nodes) <= 1 && len(required) == 0 || len(required) > 0 && live.image == name {
		return s, nil
	}
	s.image, err = image.Platforms(ctx, name, r.options.Builder, r.options.HideFunc())
	switch {
	case ctx.Err() != nil:
		return s, context.Cause(ctx)
	case err != nil:
		pipeline.Warn(out, "the platforms of %s are unknown: %v; its Pods can start on any node (%s)",
			name, err, strings.Join(nodes, ", "))
	}
	s.warnUnsuitable(out)
	return s, nil
}

// warnUnsuitable warns if no node can run the image without emulation.
func (s suitability) warnUnsuitable(out io.Writer) {
	if len(s.image) > 0 && len(s.nodes) > 0 && len(platform.Matching(s.image, s.nodes)) == 0 {
		pipeline.Warn(out, "the image is for %s, but the nodes are %s",
			strings.Join(s.image, ", "), strings.Join(s.nodes, ", "))
	}
}

// platforms returns the platforms that the Pods of the shipped image require of their nodes, or none. pod is what the
// app's Pods are now.
func (s shipment) platforms(pod corev1.PodSpec, app string) []string {
	return platform.Question{
		Image: s.suits.image, Nodes: s.suits.nodes,
		Live: platform.Of(pod), Same: metadata.ImageOf(pod, app) == s.image,
	}.Required()
}

// platformsOf returns the platforms that a workload's Pods require, unless they require nodes by another affinity. It
// says so if they begin to require platforms without another change: that replaces them.
func (s shipment) platformsOf(out io.Writer, workload metav1.Object, pod corev1.PodSpec) []string {
	app := metadata.AppOf(workload)
	required := s.platforms(pod, app)
	switch {
	case len(required) > 0 && platform.IsForeign(workload, pod):
		pipeline.Warn(out, "the nodes are %s, but the image is for %s only; norn does not require such nodes, because the "+
			"Pods already have a node affinity", strings.Join(s.suits.nodes, ", "), strings.Join(required, ", "))
		return nil
	case !slices.Equal(required, platform.Of(pod)) && metadata.ImageOf(pod, app) == s.image:
		_, _ = fmt.Fprintf(out, "the nodes are %s: the Pods now require nodes of %s\n",
			strings.Join(s.suits.nodes, ", "), strings.Join(required, ", "))
	}
	return required
}
