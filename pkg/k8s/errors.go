package k8s

import (
	"errors"
	"fmt"
	"regexp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// IsAlreadyExists reports whether err says that the object to create already exists.
func IsAlreadyExists(err error) bool { return apierrors.IsAlreadyExists(err) }

// IsNotFound reports whether err says that the object does not exist.
func IsNotFound(err error) bool { return apierrors.IsNotFound(err) }

// IsConflict reports whether err says that somebody else changed the object in between.
func IsConflict(err error) bool { return apierrors.IsConflict(err) }

// DeniedError reports that the API server's authorizer denied a request (403 Forbidden).
type DeniedError struct {
	User, Verb, Resource, Namespace string
	Err                             error
}

// Error names the user, verb, resource and namespace.
func (e *DeniedError) Error() string {
	where := "in namespace " + e.Namespace
	if e.Namespace == "" {
		where = "in the cluster"
	}
	return fmt.Sprintf("user %q is not allowed to %s %s %s", e.User, e.Verb, e.Resource, where)
}

// Hint returns whom to ask for which permission.
func (e *DeniedError) Hint() string {
	return fmt.Sprintf("ask the cluster's admin for a Role that allows %q on %s, or use another context",
		e.Verb, e.Resource)
}

func (e *DeniedError) Unwrap() error { return e.Err }

// NamespaceError reports that a namespace does not exist.
type NamespaceError struct {
	Name string
	Err  error
}

// Error names the namespace.
func (e *NamespaceError) Error() string { return fmt.Sprintf("namespace %s does not exist", e.Name) }

// Hint returns what to do about it.
func (e *NamespaceError) Hint() string {
	return fmt.Sprintf("check --namespace, or create it with kubectl create namespace %s", e.Name)
}

func (e *NamespaceError) Unwrap() error { return e.Err }

// denied matches the error message for a denied request. The API server has no fields for user and verb
// (k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go).
var denied = regexp.MustCompile(`User "([^"]*)" cannot (\S+) resource "([^"]*)"` +
	`(?: in API group "([^"]*)")?(?: in the namespace "([^"]*)")?`)

// Explain wraps err with the failed action, described by act and args. A denied request becomes a *DeniedError, and a
// missing namespace a *NamespaceError. Explain returns nil if err is nil.
func Explain(err error, act string, args ...any) error {
	if err == nil {
		return nil
	}
	if m := denied.FindStringSubmatch(err.Error()); apierrors.IsForbidden(err) && m != nil {
		resource := m[3]
		if m[4] != "" {
			resource += "." + m[4]
		}
		err = &DeniedError{User: m[1], Verb: m[2], Resource: resource, Namespace: m[5], Err: err}
	}
	if s, ok := errors.AsType[*apierrors.StatusError](err); ok && apierrors.IsNotFound(err) &&
		s.ErrStatus.Details != nil && s.ErrStatus.Details.Kind == "namespaces" {
		err = &NamespaceError{Name: s.ErrStatus.Details.Name, Err: err}
	}
	return fmt.Errorf(act+": %w", append(args, err)...)
}
