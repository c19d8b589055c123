package k8s

import (
	corev1 "k8s.io/api/core/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/platform"
)

// Release holds what a deploy changes in a workload.
type Release struct {
	App           string // and the container's name
	Image         string
	PullPolicy    corev1.PullPolicy
	Commit        string // full hash, with "-dirty" if it had uncommitted changes; "" if unknown
	Subject       string // the first line of the commit's message, or ""
	Cause         string // one line for kubectl rollout history
	By            string // the user who deploys
	Migrated      string // the version whose migration ran for this release, or ""
	SecretVersion string // resourceVersion of the app's Secret, or ""
	RestartedAt   string // time of an earlier restart to keep, or ""
	// Platforms are the platforms that the Pods require of their nodes. None leaves the nodes to other field managers.
	Platforms []string
	// Canary, if not nil, holds a Deployment after the first new Pods.
	Canary *metadata.Canary
}

// deployment returns the part of a Deployment that a release changes.
func (r Release) deployment(ns, name string) *applyapps.DeploymentApplyConfiguration {
	return applyapps.Deployment(name, ns).
		WithAnnotations(r.annotations()).
		WithSpec(applyapps.DeploymentSpec().WithPaused(false).WithTemplate(r.template()))
}

// template returns the part of a Pod template that a release changes.
func (r Release) template() *applycore.PodTemplateSpecApplyConfiguration {
	template := applycore.PodTemplateSpec().WithSpec(applycore.PodSpec().WithContainers(
		applycore.Container().WithName(r.App).WithImage(r.Image).WithImagePullPolicy(r.PullPolicy)))
	template.Spec.Affinity = platform.Affinity(r.Platforms)
	for name, value := range map[string]string{
		metadata.SecretAnnotation:  r.SecretVersion,
		metadata.RestartAnnotation: r.RestartedAt,
	} {
		if value != "" {
			template.WithAnnotations(map[string]string{name: value})
		}
	}
	return template
}

// annotations returns the annotations that record a release in the history. They include empty ones, because kubectl
// rollout undo may have left those of another release.
func (r Release) annotations() map[string]string {
	return map[string]string{
		metadata.CommitAnnotation: r.Commit, metadata.ImageAnnotation: r.Image, metadata.ChangeCauseAnnotation: r.Cause,
		metadata.ByAnnotation: r.By, metadata.MigratedAnnotation: r.Migrated, metadata.SubjectAnnotation: r.Subject,
	}
}
