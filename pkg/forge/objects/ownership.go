package objects

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// The kinds of objects that norn makes.
const (
	KindClaim      = "PersistentVolumeClaim"
	KindDeployment = "Deployment"
	KindCronJob    = "CronJob"
	KindService    = "Service"
	KindSecret     = "Secret"
	KindConfigMap  = "ConfigMap"
)

// ConflictError reports an object that has the right name and does not belong to the app. norn never takes one over silently.
type ConflictError struct {
	Kind, Namespace, Name string
	App                   string // whose it should be
	Found                 string // what its labels say instead
	Final                 bool   // it can never become the app's
}

// Error names the object and what was expected of it.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s %s in namespace %s is not norn's for app %s: %s", e.Kind, e.Name, e.Namespace, e.App, e.Found)
}

// Hint is what to do about it.
func (e *ConflictError) Hint() string {
	if e.Final {
		return fmt.Sprintf("rename or delete it, or choose another name or namespace for %s", e.App)
	}
	if e.Kind == KindSecret { // forge has nothing to do with it
		return fmt.Sprintf("kubectl label secret %s --namespace %s %s=%s %s=%s hands it over; or delete it, or choose another name or namespace for %[6]s",
			e.Name, e.Namespace, metadata.ManagedByLabel, metadata.ManagedBy, metadata.AppLabel, e.App)
	}
	return fmt.Sprintf("norn forge --adopt takes it over; or rename or delete it, or choose another name or namespace for %s", e.App)
}

// IsOwned reports whether live carries the labels of an object that norn made for app.
func IsOwned(live metav1.Object, app string) bool {
	labels := live.GetLabels()
	return labels[metadata.ManagedByLabel] == metadata.ManagedBy && labels[metadata.AppLabel] == app
}

// CheckOwner returns a *ConflictError unless live carries the labels of an object that norn made for app.
func CheckOwner(kind string, live metav1.Object, app string) error {
	if IsOwned(live, app) {
		return nil
	}
	labels := live.GetLabels()
	found := "it has no label managed-by: norn"
	if labels[metadata.ManagedByLabel] == metadata.ManagedBy {
		return &ConflictError{Kind: kind, Namespace: live.GetNamespace(), Name: live.GetName(), App: app, Found: fmt.Sprintf("it belongs to app %q", labels[metadata.AppLabel]), Final: true}
	}
	return &ConflictError{Kind: kind, Namespace: live.GetNamespace(), Name: live.GetName(), App: app, Found: found}
}
