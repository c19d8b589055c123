// Package objects turns an infraspec into the objects that norn applies. It makes no calls, and the same infraspec and
// settings always yield the same objects.
package objects

import (
	"fmt"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// Settings hold what the objects depend on in addition to the infraspec.
type Settings struct {
	Namespace    string
	PostgresHost string // host of generated DATABASE_URLs
	PostgresUser string // user of generated DATABASE_URLs, or ""
	NoDrain      bool   // the server is older than DrainSince
	Image        string // image that a new app starts with, or "" to wait for the first deploy
	Enforced     Enforced
}

// RoleLabel is the label with the app's role.
const RoleLabel = "app.kubernetes.io/component"

// Labels returns the labels of the objects of an app, or of one of its processes. norn identifies its objects by the
// first two; the others are Kubernetes' recommended labels (kubernetes.io: Recommended Labels), norn/process and
// norn/environment.
func Labels(spec *infraspec.Spec) map[string]string {
	all := map[string]string{
		metadata.ManagedByLabel:        metadata.ManagedBy,
		metadata.AppLabel:              spec.App,
		"app.kubernetes.io/name":       spec.App,
		metadata.InstanceLabel:         spec.App,
		RoleLabel:                      string(spec.Role),
		"app.kubernetes.io/managed-by": metadata.ManagedBy,
	}
	if spec.Process != "" {
		all[metadata.ProcessLabel] = spec.Process
	}
	if spec.Environment != "" {
		all[metadata.EnvironmentLabel] = metadata.EnvironmentValue(spec.Environment)
	}
	return all
}

// PodLabels returns the labels of the Pods of a workload. The Pods of a process have another app label than its
// objects, so that nothing that selects the main process's Pods selects them.
func PodLabels(spec *infraspec.Spec) map[string]string {
	all := Labels(spec)
	all[metadata.AppLabel] = spec.Workload()
	delete(all, metadata.EnvironmentLabel)
	return all
}

// selector returns the selector of the Pods of a workload.
func selector(spec *infraspec.Spec) map[string]string {
	return map[string]string{metadata.AppLabel: spec.Workload()}
}

// Start is how a workload starts when forge sets its image.
type Start struct {
	Image  string
	Paused bool // paused Deployment, suspended CronJob
}

// BeforeFirstDeploy returns the start of an app that was never deployed. Its image does not exist yet, so it starts
// paused.
func BeforeFirstDeploy(app string) *Start { return &Start{Image: app + ":latest", Paused: true} }

// SecretName returns the name of the app's Secret.
func SecretName(app string) string { return app + "-secrets" }

// PreviousSecretName returns the name of the Secret that keeps the app's previous values during a deploy.
func PreviousSecretName(app string) string { return SecretName(app) + "-previous" }

// ClaimName returns the name of the claim for an app's volume.
func ClaimName(app, volume string) string { return fmt.Sprintf("%s-%s", app, volume) }
