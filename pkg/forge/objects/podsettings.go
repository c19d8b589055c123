package objects

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// withPodSettings sets what the key pod of the infraspec says about the Pod.
func withPodSettings(pod *applycore.PodSpecApplyConfiguration, spec *infraspec.Spec, s Settings) {
	p := spec.Pod
	if p.ServiceAccount != "" {
		pod.WithServiceAccountName(p.ServiceAccount)
	}
	for _, name := range p.PullSecrets {
		pod.WithImagePullSecrets(applycore.LocalObjectReference().WithName(name))
	}
	if len(p.NodeSelector) > 0 {
		pod.WithNodeSelector(p.NodeSelector)
	}
	for _, t := range p.Tolerations {
		pod.WithTolerations(toleration(t))
	}
	withSecurity(pod, spec, s)
}

func toleration(t infraspec.Toleration) *applycore.TolerationApplyConfiguration {
	conf := applycore.Toleration()
	if t.Key != "" {
		conf.WithKey(t.Key)
	}
	if t.Operator != "" {
		conf.WithOperator(corev1.TolerationOperator(t.Operator))
	}
	if t.Value != "" {
		conf.WithValue(t.Value)
	}
	if t.Effect != "" {
		conf.WithEffect(corev1.TaintEffect(t.Effect))
	}
	if t.TolerationSeconds != nil {
		conf.WithTolerationSeconds(int64(*t.TolerationSeconds))
	}
	return conf
}

// withOldAccountName also sets the deprecated field serviceAccount, which the API server fills from serviceAccountName.
// If norn did not own it, it would stay when the infraspec drops the account, and bring the account back
// (k8s.io/kubernetes/pkg/apis/core/v1: Convert_v1_PodSpec_To_core_PodSpec).
func withOldAccountName(pod *applycore.PodSpecApplyConfiguration) {
	if pod.ServiceAccountName != nil {
		pod.WithDeprecatedServiceAccount(*pod.ServiceAccountName)
	}
}

// template returns the Pod template of the app's workload, with the labels and annotations of the infraspec.
func template(
	spec *infraspec.Spec, pod *applycore.PodSpecApplyConfiguration,
) *applycore.PodTemplateSpecApplyConfiguration {
	t := applycore.PodTemplateSpec().WithLabels(PodLabels(spec)).WithSpec(pod)
	if len(spec.Pod.Labels) > 0 {
		t.WithLabels(spec.Pod.Labels)
	}
	if len(spec.Pod.Annotations) > 0 {
		t.WithAnnotations(spec.Pod.Annotations)
	}
	if names := referencedSecrets(spec); names != "" {
		t.WithAnnotations(map[string]string{metadata.ReferencesAnnotation: names})
	}
	return t
}

// JobMeta returns the labels and annotations that the infraspec and its overlay set on the Pods of the Jobs that norn
// makes from the infraspec.
func JobMeta(spec *infraspec.Spec) (labels, annotations map[string]string, err error) {
	over, err := readOverlay(spec)
	if err != nil {
		return nil, nil, err
	}
	job := over.job
	if job == nil {
		job = &jobPart{}
	}
	labels = merged(spec.Pod.Labels, over.podMeta.Labels, job.Spec.Template.Labels)
	annotations = merged(spec.Pod.Annotations, over.podMeta.Annotations, job.Spec.Template.Annotations)
	return labels, annotations, nil
}

// merged returns the entries of all maps. A later map takes precedence.
func merged(all ...map[string]string) map[string]string {
	var out map[string]string
	for _, m := range all {
		if out == nil && len(m) > 0 {
			out = map[string]string{}
		}
		maps.Copy(out, m)
	}
	return out
}

// OwnMeta returns the labels or annotations of the app's Pods without the ones of norn and Kubernetes. Service meshes,
// identities and network policies select Pods by the others.
func OwnMeta(all map[string]string) map[string]string {
	own := maps.Clone(all)
	maps.DeleteFunc(own, func(name, _ string) bool { return infraspec.IsReserved(name) })
	return own
}
