// Package metadata defines the labels, annotations and field managers of norn's objects. It makes no calls, so packages
// without a cluster can use it.
package metadata

import (
	"cmp"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// AppLabel is the label of all objects of an app, with its name. The selector of its Pods has only this label: the name
// of the workload, which is the app's name for the main process.
const AppLabel = "app"

// The label of all objects that norn manages, and its value.
const (
	ManagedByLabel = "managed-by"
	ManagedBy      = "norn"
)

// ProcessLabel is the label of the objects and the Pods of a process other than the main one. Its value is the name of
// the process.
const ProcessLabel = "norn/process"

// InstanceLabel is the label with the app's name of its objects and Pods, those of all processes. The Pods of a process
// have another AppLabel than the app.
const InstanceLabel = "app.kubernetes.io/instance"

// AppOf returns the app of an object by its label, or else the object's name.
func AppOf(o metav1.Object) string { return cmp.Or(o.GetLabels()[AppLabel], o.GetName()) }

// JobLabel is the label of norn's Jobs. Its value says whether norn run, norn invoke, a migration or verify created the
// Job.
const JobLabel = "norn/job"

// VerifiesLabel is the label of a Pod that verify examines, with the name of the app. Such a Pod has no AppLabel, so
// that no selector of the app's Pods selects it.
const VerifiesLabel = "norn/verifies"

// The field managers of server-side apply. forge and deploy own different fields, so neither reverts the other.
const (
	ForgeManager  = "norn"        // owns the fields that infraspec.yaml sets
	DeployManager = "norn-deploy" // owns image, pull policy, paused and the node affinity for platforms
)

// Scaler returns the field manager that has set the replicas through the scale subresource, or "". It ignores kubectl
// scale.
func Scaler(o metav1.Object) string {
	for _, m := range o.GetManagedFields() {
		if m.Subresource == "scale" && !strings.HasPrefix(m.Manager, "kubectl") {
			return m.Manager
		}
	}
	return ""
}

// DataChanged returns when the data of a Secret was last written, by the API server's clock, or zero if it is unknown.
func DataChanged(o metav1.Object) time.Time {
	var last time.Time
	for _, m := range o.GetManagedFields() {
		if m.Time != nil && m.Time.After(last) && Covers(m, `"f:data"`) {
			last = m.Time.Time
		}
	}
	return last
}

// Adoptable reports whether an adoption makes forge the owner of an entry's fields: the ones that people and their
// tools wrote, not the ones of controllers.
func Adoptable(m metav1.ManagedFieldsEntry) bool {
	return m.Operation == metav1.ManagedFieldsOperationUpdate && m.Subresource == "" &&
		!strings.HasPrefix(m.Manager, "kube-")
}

// Annotations of the Deployment. Its controller copies them to each ReplicaSet, where they form the history.
const (
	CommitAnnotation      = "norn/commit"
	SubjectAnnotation     = "norn/subject"               // the first line of the commit's message
	ImageAnnotation       = "norn/image"                 // the image that was shipped
	ByAnnotation          = "norn/by"                    // the user who deployed
	MigratedAnnotation    = "norn/migrated"              // the version whose migration ran
	ChangeCauseAnnotation = "kubernetes.io/change-cause" // shown by kubectl rollout history
	RevisionAnnotation    = "deployment.kubernetes.io/revision"
	// ReplicasAnnotation has the replicas of a Deployment that norn has scaled to 0, because its process is not part of
	// the version that runs.
	ReplicasAnnotation = "norn/replicas"
	// DesiredReplicasAnnotation has the Deployment's replicas while the ReplicaSet was its current one.
	DesiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas"
	// RevisionHistoryAnnotation has the earlier numbers of a ReplicaSet that is used again.
	RevisionHistoryAnnotation = "deployment.kubernetes.io/revision-history"
)

// Annotations of the pod template. A changed value starts a rollout.
const (
	// SecretAnnotation holds the resourceVersion of the Secret that the pods started with. It changes with the values but
	// does not reveal them.
	SecretAnnotation  = "norn/secret-version"               //nolint:gosec // a name, not a credential
	RestartAnnotation = "kubectl.kubernetes.io/restartedAt" // the same as kubectl rollout restart
	// ReferencesAnnotation names the Secrets, separated by commas, that the infraspec refers to and norn does not manage.
	// norn hides their values in logs.
	ReferencesAnnotation = "norn/referenced-secrets"
)

// IsRestartAnnotation reports whether a pod template's annotation only restarts pods and does not belong to the
// version. Other programs than norn and kubectl restart pods by annotations of their own.
func IsRestartAnnotation(annotation string) bool {
	switch annotation {
	case RestartAnnotation, SecretAnnotation,
		"reloader.stakater.com/last-reloaded-from", // Reloader with reloadStrategy annotations: its README
		"vso.secrets.hashicorp.com/restartedAt",    // Vault Secrets Operator: RolloutRestartTarget in its API reference
		"cattle.io/timestamp":                      // Rancher's Redeploy: rancher/dashboard, config/labels-annotations.js
		return true
	}
	return false
}

// Object is an API object.
type Object interface {
	metav1.Object
	runtime.Object
}

// Annotations of the ConfigMap with cloudflared's configuration.
const (
	// RulesAnnotation records the app of each of norn's rules: a JSON object of host to namespace/app.
	RulesAnnotation = "norn/rules"
	// RestartPendingAnnotation holds the checksum of a configuration with which cloudflared has not been restarted yet. It
	// is written with the configuration and removed after the restart, so the next run finishes an interrupted one.
	RestartPendingAnnotation = "norn/restart-pending"
)
