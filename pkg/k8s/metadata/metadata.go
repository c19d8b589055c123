// Package metadata names what norn writes into the metadata of objects: labels, annotations and field managers. It makes
// no calls, so that packages without a cluster can use it.
package metadata

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// AppLabel is the label that all objects of one app carry; it is the pods' whole selector.
const AppLabel = "app"

// The label that tells norn's objects from others', and its value.
const (
	ManagedByLabel = "managed-by"
	ManagedBy      = "norn"
)

// JobLabel is on the Jobs of norn run, norn invoke and migrations, and says of which.
const JobLabel = "norn/job"

// The field managers of server-side apply. What the infraspec says and what a
// deploy sets have different owners, so that neither reverts the other.
const (
	ForgeManager  = "norn"        // owns what infraspec.yaml says
	DeployManager = "norn-deploy" // owns image, pull policy and paused
)

// Annotations on the Deployment, which its controller copies to each ReplicaSet, and so to history.
const (
	CommitAnnotation      = "norn/commit"
	ByAnnotation          = "norn/by"                    // who deployed
	MigratedAnnotation    = "norn/migrated"              // the version before which a migration ran
	ChangeCauseAnnotation = "kubernetes.io/change-cause" // shown by kubectl rollout history
	RevisionAnnotation    = "deployment.kubernetes.io/revision"
)

// Annotations on the pod template, where a change of value rolls the pods.
const (
	// SecretAnnotation holds the resourceVersion of the Secret the pods were started with: a mark that
	// moves with the values and says nothing about them.
	SecretAnnotation  = "norn/secret-version"               //nolint:gosec // a name, not a credential
	RestartAnnotation = "kubectl.kubernetes.io/restartedAt" // the same as kubectl rollout restart
)

// IsRestartAnnotation reports whether a pod template annotation only rolls pods and says nothing about the version.
func IsRestartAnnotation(annotation string) bool {
	return annotation == RestartAnnotation || annotation == SecretAnnotation
}

// Annotations on a ReplicaSet, by which a rollout's end is remembered.
const (
	VerifiedAnnotation = "norn/verified" // norn has watched its rollout to its good end; the value is when
	FailedAnnotation   = "norn/failed"   // its rollout has failed; the value is the Reason
)

// Object is an object of the API.
type Object interface {
	metav1.Object
	runtime.Object
}

// Annotations on the ConfigMap of cloudflared's configuration.
const (
	// RulesAnnotation notes which app each of norn's rules belongs to: a JSON object of host to namespace/app.
	RulesAnnotation = "norn/rules"
	// RestartPendingAnnotation says that cloudflared has not been restarted yet with the text of this checksum. It is
	// written with the text and removed after the restart, so that the next run finishes one that was killed in between.
	RestartPendingAnnotation = "norn/restart-pending"
)
