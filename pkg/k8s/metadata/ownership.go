package metadata

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// UIDAnnotation marks an object that norn made or adopted: its value is the object's own UID. A copy has another UID,
	// so norn does not manage the copy, although it has the mark.
	UIDAnnotation = "norn/uid"
	// RepositoryAnnotation is set on an app's workload, and names the app's repository.
	RepositoryAnnotation = "norn/repository"
)

// IsOwned reports whether norn manages an object for app: it has the app's labels, and norn made or adopted it. Labels
// alone prove nothing: kubectl expose copies them, and so do tools that clone or restore objects.
func IsOwned(o metav1.Object, app string) bool { return HasLabels(o, app) && isMade(o) }

// Repository returns the repository that norn has recorded in an app's workload, or "" if it is unknown. A value that
// somebody else wrote does not count, such as an earlier one that kubectl rollout undo brings back.
func Repository(o metav1.Object) string {
	if !owns(o, ForgeManager, RepositoryAnnotation) {
		return ""
	}
	return o.GetAnnotations()[RepositoryAnnotation]
}

// HasLabels reports whether an object has the labels of app's objects.
func HasLabels(o metav1.Object, app string) bool {
	labels := o.GetLabels()
	return labels[ManagedByLabel] == ManagedBy && labels[AppLabel] == app
}

// isMade reports whether norn made or adopted an object. The object's mark decides. An object has no mark if an earlier
// norn made it, if norn was killed before it could mark it, or if it is a Job. A mark with another UID that norn does
// not own as field manager says nothing either: kubectl rollout undo brings back the annotations of an earlier
// ReplicaSet. Then norn must have written the object since its creation: a restored backup can keep the managed fields,
// but with their old times.
func isMade(o metav1.Object) bool {
	uid, marked := o.GetAnnotations()[UIDAnnotation]
	switch {
	case marked && uid == string(o.GetUID()):
		return true
	case marked && owns(o, ForgeManager, UIDAnnotation): // a copy
		return false
	}
	created := o.GetCreationTimestamp().Add(-creationDelay)
	return slices.ContainsFunc(o.GetManagedFields(), func(m metav1.ManagedFieldsEntry) bool {
		return (m.Manager == ForgeManager || m.Manager == DeployManager) && m.Time != nil && !m.Time.Time.Before(created)
	})
}

// creationDelay is the maximum time from the managed fields' entry of the request that created an object to the
// object's creationTimestamp. The API server records the entry, and then calls the admission webhooks, for at most a
// minute (k8s.io/apiserver: --request-timeout).
const creationDelay = time.Minute
