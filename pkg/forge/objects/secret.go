package objects

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// SecretKeys returns the sorted keys of an app's Secret that a pod reads.
func SecretKeys(app string, pod corev1.PodSpec) []string {
	keys := keysOf(SecretName(app), pod.Containers)
	slices.Sort(keys)
	return slices.Compact(keys)
}

// ReadsSecret reports whether a container of a Pod gets variables from a Secret.
func ReadsSecret(pod corev1.PodSpec, name string) bool {
	return len(keysOf(name, pod.InitContainers)) > 0 || len(keysOf(name, pod.Containers)) > 0
}

// keysOf returns the keys of a Secret that containers read as variables.
func keysOf(secret string, containers []corev1.Container) []string {
	var keys []string
	for _, c := range containers {
		for _, e := range c.Env {
			if from := e.ValueFrom; from != nil && from.SecretKeyRef != nil && from.SecretKeyRef.Name == secret {
				keys = append(keys, from.SecretKeyRef.Key)
			}
		}
	}
	return keys
}
