package k8s

import (
	corev1 "k8s.io/api/core/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/k8s/metadata"
)

// Release is what a deploy changes of a Deployment.
type Release struct {
	Image         string
	PullPolicy    corev1.PullPolicy
	Commit        string // all digits of the commit, with -dirty where that was not all, or "" where unknown
	Cause         string // one line for the rollout history
	By            string // who deploys
	Migrated      string // the version whose migration has run for this release, or ""
	SecretVersion string // resourceVersion of the app's Secret, or "" without one
	RestartedAt   string // keeps an earlier restart's stamp, or ""
}

// template is what a release changes of a pod template.
func (r Release) template(container string) *applycore.PodTemplateSpecApplyConfiguration {
	template := applycore.PodTemplateSpec().WithSpec(applycore.PodSpec().WithContainers(
		applycore.Container().WithName(container).WithImage(r.Image).WithImagePullPolicy(r.PullPolicy)))
	for name, value := range map[string]string{metadata.SecretAnnotation: r.SecretVersion, metadata.RestartAnnotation: r.RestartedAt} {
		if value != "" {
			template.WithAnnotations(map[string]string{name: value})
		}
	}
	return template
}

// annotations are what history remembers of a release.
func (r Release) annotations() map[string]string {
	m := map[string]string{metadata.CommitAnnotation: r.Commit, metadata.ChangeCauseAnnotation: r.Cause}
	for name, value := range map[string]string{metadata.ByAnnotation: r.By, metadata.MigratedAnnotation: r.Migrated} {
		if value != "" {
			m[name] = value
		}
	}
	return m
}
