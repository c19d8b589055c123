package k8s

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/k8s/metadata"
)

// GetPodTemplate reads a PodTemplate; see IsNotFound.
func (c *Client) GetPodTemplate(ctx context.Context, ns, name string) (*corev1.PodTemplate, error) {
	t, err := c.core.PodTemplates(ns).Get(ctx, name, metav1.GetOptions{})
	return t, Explain(err, "read PodTemplate %s", name)
}

// ApplyPodTemplate creates or updates a PodTemplate, with a release in the container named like the PodTemplate.
func (c *Client) ApplyPodTemplate(ctx context.Context, conf *applycore.PodTemplateApplyConfiguration,
	r Release) (*corev1.PodTemplate, error) {
	conf.WithAnnotations(r.annotations()).WithTemplate(r.template().WithLabels(conf.Labels))
	t, err := apply(ctx, c, c.core.PodTemplates(*conf.Namespace), metadata.DeployManager, conf)
	return t, Explain(err, "apply PodTemplate %s", *conf.Name)
}
