// Package objects turns an infraspec into the objects that norn applies. It is pure: the same spec and settings make the
// same objects, and it cannot import the client.
package objects

import (
	"fmt"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// Settings are what the objects need besides the infraspec.
type Settings struct {
	Namespace    string
	PostgresHost string // host of generated DATABASE_URLs
	PostgresUser string // user of generated DATABASE_URLs, or ""
	Image        string // what a new app starts with at once, or ""
}

// RoleLabel says of an object what role its app has.
const RoleLabel = "app.kubernetes.io/component"

// Labels are on everything norn makes. The first two are norn's own contract; the others are
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

// Start says with which image the Deployment's container is sent, if with any.
type Start struct {
	Image  string
	Paused bool
}

// BeforeFirstDeploy is the start of an app that has never been deployed: its image does
// not exist yet, so the Deployment is paused and makes no pod that would crash.
func BeforeFirstDeploy(app string) *Start { return &Start{Image: app + ":latest", Paused: true} }

// SecretName is the name of the app's Secret.
func SecretName(app string) string { return app + "-secrets" }

// ClaimName is the name of the claim behind an app's volume.
func ClaimName(app, volume string) string { return fmt.Sprintf("%s-%s", app, volume) }
