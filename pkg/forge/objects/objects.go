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
	Image        string // image that a new app starts with, or "" to wait for the first deploy
}

// RoleLabel is the label with the app's role.
const RoleLabel = "app.kubernetes.io/component"

// Labels returns the labels of an app's objects. norn identifies its objects by the first two; the others are
// Kubernetes' recommended labels (kubernetes.io: Recommended Labels).
func Labels(spec *infraspec.Spec) map[string]string {
	return map[string]string{
		metadata.ManagedByLabel:        metadata.ManagedBy,
		metadata.AppLabel:              spec.App,
		"app.kubernetes.io/name":       spec.App,
		"app.kubernetes.io/instance":   spec.App,
		RoleLabel:                      string(spec.Role),
		"app.kubernetes.io/managed-by": metadata.ManagedBy,
	}
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

// ClaimName returns the name of the claim for an app's volume.
func ClaimName(app, volume string) string { return fmt.Sprintf("%s-%s", app, volume) }
