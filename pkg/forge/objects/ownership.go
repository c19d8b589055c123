package objects

import (
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// The kinds of objects that norn manages.
const (
	KindClaim      = "PersistentVolumeClaim"
	KindDeployment = "Deployment"
	KindCronJob    = "CronJob"
	KindService    = "Service"
	KindIngress    = "Ingress"
	KindHTTPRoute  = "HTTPRoute"
	KindSecret     = "Secret"
	KindConfigMap  = "ConfigMap"
)

// ConflictError reports an existing object that has the name of one of the app's objects but does not belong to the
// app. norn never takes over such an object without --adopt.
type ConflictError struct {
	Kind, Namespace, Name string
	App                   string // the app that needs the name
	Found                 string // clause about the existing object
	Copy                  bool   // the object has the app's labels
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
	if e.Kind == KindSecret && !e.Copy { // forge --adopt does not apply to other Secrets
		return fmt.Sprintf("to hand it over, run kubectl label secret %s --namespace %s %s=%s %s=%s, "+
			"then norn forge --adopt; or delete it; or choose another name or namespace for %[6]s",
			e.Name, e.Namespace, metadata.ManagedByLabel, metadata.ManagedBy, metadata.AppLabel, e.App)
	}
	return fmt.Sprintf("run norn forge --adopt to take it over; or rename or delete it; "+
		"or choose another name or namespace for %s", e.App)
}

// CheckOwner returns a *ConflictError unless norn manages live for app.
func CheckOwner(kind string, live metav1.Object, app string) error {
	if metadata.IsOwned(live, app) {
		return nil
	}
	conflict := &ConflictError{
		Kind: kind, Namespace: live.GetNamespace(), Name: live.GetName(), App: app,
		Found: "it has no label managed-by=norn",
	}
	labels := live.GetLabels()
	switch {
	case metadata.HasLabels(live, app):
		conflict.Found, conflict.Copy = "it has norn's labels, but norn did not make it", true
	case labels[metadata.ManagedByLabel] == metadata.ManagedBy:
		conflict.Found, conflict.Final = fmt.Sprintf("it belongs to app %q", labels[metadata.AppLabel]), true
	}
	return conflict
}

// Owner is the app that a command is about.
type Owner struct {
	App         string
	Repository  string // of the app's infraspec, or "" if unknown
	Environment string // the chosen one, or ""
}

// CheckWorkload returns an error unless norn manages live, a workload, for the app, its repository and its environment:
// see CheckOwner, CheckRepository and CheckEnvironment.
func CheckWorkload(kind string, live metav1.Object, of Owner) error {
	if err := CheckOwner(kind, live, of.App); err != nil {
		return err
	}
	if err := CheckRepository(live, of.App, of.Repository); err != nil {
		return err
	}
	return CheckEnvironment(kind, live, of.Environment)
}

// CheckWorkloadByName is like CheckWorkload, for a command that needs the app's name alone.
func CheckWorkloadByName(kind string, live metav1.Object, of Owner) error {
	return byName(CheckWorkload(kind, live, of))
}

// RepositoryError reports that an app of this name belongs to another repository.
type RepositoryError struct {
	App, Namespace string
	Theirs, Ours   string // the repositories
	ByName         bool   // the command needs the app's name alone, not an infraspec
}

// Error names the app and both repositories.
func (e *RepositoryError) Error() string {
	return fmt.Sprintf("app %s in namespace %s belongs to repository %s, and this is %s",
		e.App, e.Namespace, e.Theirs, e.Ours)
}

// Hint returns advice.
func (e *RepositoryError) Hint() string {
	if e.ByName {
		return fmt.Sprintf("run the command in the app's own repository; or, in a folder without this infraspec, "+
			"pass the name %s; or, if the repository has moved, run norn forge %[1]s --adopt to take it over", e.App)
	}
	return fmt.Sprintf("choose another name or namespace for the app; "+
		"or, if the repository has moved, run norn forge %s --adopt to take it over", e.App)
}

// CheckRepository returns a *RepositoryError if live, a workload of app, belongs to another repository. It
// accepts an unknown repository, "", on either side. It compares the paths alone, because one repository has several
// hosts: those of aliases in the configuration of ssh, of mirrors, and of addresses that only CI jobs can reach.
func CheckRepository(live metav1.Object, app, repository string) error {
	theirs := metadata.Repository(live)
	if theirs == "" || repository == "" || repositoryPath(theirs) == repositoryPath(repository) {
		return nil
	}
	return &RepositoryError{App: app, Namespace: live.GetNamespace(), Theirs: theirs, Ours: repository}
}

// repositoryPath returns the path in a repository's name, which is a host and a path. The HTTPS addresses of Bitbucket
// Data Center have /scm before it, and those of Gerrit have /a if they need a password.
func repositoryPath(name string) string {
	_, folder, _ := strings.Cut(name, "/")
	for _, prefix := range []string{"scm/", "a/"} {
		if rest, found := strings.CutPrefix(folder, prefix); found {
			return rest
		}
	}
	return folder
}

// CheckRepositoryByName is like CheckRepository, for a command that needs the app's name alone.
func CheckRepositoryByName(live metav1.Object, app, repository string) error {
	return byName(CheckRepository(live, app, repository))
}

// byName gives a *RepositoryError the hint for a command that needs the app's name alone.
func byName(err error) error {
	if other, ok := errors.AsType[*RepositoryError](err); ok {
		other.ByName = true
	}
	return err
}
