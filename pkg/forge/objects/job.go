package objects

import "norn/pkg/k8s/metadata"

// JobLabels returns the labels of the Pods of a one-off Job; kind is the value of its JobLabel. They lack the app's
// label, because the app's Service would send requests to these Pods.
func JobLabels(app, kind string) map[string]string {
	return map[string]string{
		metadata.ManagedByLabel:        metadata.ManagedBy,
		"app.kubernetes.io/name":       app,
		"app.kubernetes.io/managed-by": metadata.ManagedBy,
		metadata.JobLabel:              kind,
	}
}
