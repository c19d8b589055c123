package objects

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// SecretKeys returns the sorted keys of an app's Secret that a pod reads.
func SecretKeys(app string, pod corev1.PodSpec) []string {
	var keys []string
	for _, c := range pod.Containers {
		for _, e := range c.Env {
			if from := e.ValueFrom; from != nil && from.SecretKeyRef != nil && from.SecretKeyRef.Name == SecretName(app) {
				keys = append(keys, from.SecretKeyRef.Key)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
