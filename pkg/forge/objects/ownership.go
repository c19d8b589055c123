package objects

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// The kinds of objects that norn manages.
const (
	KindClaim      = "PersistentVolumeClaim"
	KindDeployment = "Deployment"
	KindCronJob    = "CronJob"
	KindService    = "Service"
	KindSecret     = "Secret"
	KindConfigMap  = "ConfigMap"
)

// ConflictError reports an existing object that has the name of one of the app's objects but does not belong to the
// app. norn never takes over such an object without --adopt.
type ConflictError struct {
	Kind, Namespace, Name string
	App                   string // the app that needs the name
	Found                 string // clause about the existing object
	Final                 bool   // the app cannot take over the object
}

// Error names the object, the app and the difference.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s %s in namespace %s exists and is not managed by norn for app %s: %s",
		e.Kind, e.Name, e.Namespace, e.App, e.Found)
}

// Hint returns advice.
func (e *ConflictError) Hint() string {
	if e.Final {
		return fmt.Sprintf("rename or delete it, or choose another name or namespace for %s", e.App)
	}
	if e.Kind == KindSecret { // forge --adopt does not apply to Secrets
		return fmt.Sprintf("run kubectl label secret %s --namespace %s %s=%s %s=%s to hand it over; or delete it; "+
			"or choose another name or namespace for %[6]s",
			e.Name, e.Namespace, metadata.ManagedByLabel, metadata.ManagedBy, metadata.AppLabel, e.App)
	}
	return fmt.Sprintf("run norn forge --adopt to take it over; or rename or delete it; "+
		"or choose another name or namespace for %s", e.App)
}

// IsOwned reports whether live has the labels of an object that norn manages for app.
func IsOwned(live metav1.Object, app string) bool {
	labels := live.GetLabels()
	return labels[metadata.ManagedByLabel] == metadata.ManagedBy && labels[metadata.AppLabel] == app
}

// CheckOwner returns a *ConflictError unless live has the labels of an object that norn manages for app.
func CheckOwner(kind string, live metav1.Object, app string) error {
	if IsOwned(live, app) {
		return nil
	}
	conflict := &ConflictError{
		Kind: kind, Namespace: live.GetNamespace(), Name: live.GetName(), App: app,
		Found: "it has no label managed-by=norn",
	}
	labels := live.GetLabels()
	if labels[metadata.ManagedByLabel] == metadata.ManagedBy {
		conflict.Found, conflict.Final = fmt.Sprintf("it belongs to app %q", labels[metadata.AppLabel]), true
	}
	return conflict
}
