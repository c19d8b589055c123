package k8s

import (
	corev1 "k8s.io/api/core/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/k8s/metadata"
)

// Release holds what a deploy changes in a Deployment.
type Release struct {
	Image         string
	PullPolicy    corev1.PullPolicy
	Commit        string // full hash, with "-dirty" if it had uncommitted changes; "" if unknown
	Cause         string // one line for kubectl rollout history
	By            string // the user who deploys
	Migrated      string // the version whose migration ran for this release, or ""
	SecretVersion string // resourceVersion of the app's Secret, or ""
	RestartedAt   string // time of an earlier restart to keep, or ""
}

// template returns the part of a Pod template that a release changes.
func (r Release) template(container string) *applycore.PodTemplateSpecApplyConfiguration {
	template := applycore.PodTemplateSpec().WithSpec(applycore.PodSpec().WithContainers(
		applycore.Container().WithName(container).WithImage(r.Image).WithImagePullPolicy(r.PullPolicy)))
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

// annotations returns the annotations that record a release in the history.
func (r Release) annotations() map[string]string {
	m := map[string]string{
		metadata.CommitAnnotation: r.Commit, metadata.ImageAnnotation: r.Image, metadata.ChangeCauseAnnotation: r.Cause,
	}
	for name, value := range map[string]string{metadata.ByAnnotation: r.By, metadata.MigratedAnnotation: r.Migrated} {
		if value != "" {
			m[name] = value
		}
	}
	return m
}
