package objects

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// SecretKeys returns the sorted keys of an app's Secret that a pod reads.
func SecretKeys(app string, pod corev1.PodSpec) []string {
	var keys []string
	for _, ref := range slices.Concat(inVariables(pod.Containers), inFiles(pod, infraspec.SecretVolume)) {
		if ref.Secret == SecretName(app) {
			keys = append(keys, ref.Key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// ReadsSecret reports whether a container of a Pod gets variables from a Secret, or the files that an infraspec names.
func ReadsSecret(pod corev1.PodSpec, name string) bool {
	files := inFiles(pod, infraspec.SecretVolume)
	all := slices.Concat(inVariables(pod.InitContainers), inVariables(pod.Containers), files)
	return slices.ContainsFunc(all, func(ref infraspec.SecretReference) bool { return ref.Secret == name })
}

// Referenced returns the values that a Pod, or a Pod of a template, gets from Secrets that norn does not manage. It
// returns only those of Secrets that the infraspec names, not those of an overlay. A reference without a key is to all
// keys.
func Referenced(meta metav1.ObjectMeta, pod corev1.PodSpec) []infraspec.SecretReference {
	annotation := meta.Annotations[metadata.ReferencesAnnotation]
	if annotation == "" {
		return nil
	}
	names := strings.Split(annotation, ",")
	all := slices.Concat(inVariables(pod.InitContainers), inVariables(pod.Containers), inFiles(pod, ""))
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		for _, from := range c.EnvFrom {
			if from.SecretRef != nil {
				all = append(all, infraspec.SecretReference{Name: from.SecretRef.Name, Secret: from.SecretRef.Name})
			}
		}
	}
	return slices.DeleteFunc(all, func(ref infraspec.SecretReference) bool { return !slices.Contains(names, ref.Secret) })
}

// referencedSecrets returns the value of the annotation that names the Secrets of the infraspec's references, or "".
func referencedSecrets(spec *infraspec.Spec) string {
	var names []string
	for _, ref := range spec.References() {
		names = append(names, ref.Secret)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}

// inVariables returns the values that containers get from Secrets as variables.
func inVariables(containers []corev1.Container) []infraspec.SecretReference {
	var all []infraspec.SecretReference
	for _, c := range containers {
		for _, e := range c.Env {
			if from := e.ValueFrom; from != nil && from.SecretKeyRef != nil {
				ref := from.SecretKeyRef
				all = append(all, infraspec.SecretReference{Name: e.Name, Secret: ref.Name, Key: ref.Key})
			}
		}
	}
	return all
}

// inFiles returns the values that a Pod gets from Secrets as files of a volume, or of all volumes if its name is "".
func inFiles(pod corev1.PodSpec, volume string) []infraspec.SecretReference {
	var all []infraspec.SecretReference
	add := func(secret string, items []corev1.KeyToPath) {
		if len(items) == 0 {
			all = append(all, infraspec.SecretReference{Name: secret, Secret: secret})
		}
		for _, i := range items {
			all = append(all, infraspec.SecretReference{Name: i.Path, Secret: secret, Key: i.Key})
		}
	}
	for _, v := range pod.Volumes {
		if volume != "" && v.Name != volume {
			continue
		}
		if v.Secret != nil {
			add(v.Secret.SecretName, v.Secret.Items)
		}
		if v.Projected == nil {
			continue
		}
		for _, part := range v.Projected.Sources {
			if part.Secret != nil {
				add(part.Secret.Name, part.Secret.Items)
			}
		}
	}
	return all
}

// RenameSecret makes a Pod read the Secret named to instead of the one named from.
func RenameSecret(pod *corev1.PodSpec, from, to string) {
	rename := func(name *string) {
		if *name == from {
			*name = to
		}
	}
	for i := range pod.Containers {
		for k := range pod.Containers[i].Env {
			if value := pod.Containers[i].Env[k].ValueFrom; value != nil && value.SecretKeyRef != nil {
				rename(&value.SecretKeyRef.Name)
			}
		}
	}
	for i := range pod.Volumes {
		if pod.Volumes[i].Name != infraspec.SecretVolume || pod.Volumes[i].Projected == nil {
			continue
		}
		for k := range pod.Volumes[i].Projected.Sources {
			if part := pod.Volumes[i].Projected.Sources[k].Secret; part != nil {
				rename(&part.Name)
			}
		}
	}
}
