package k8s

import (
	"errors"
	"fmt"
	"regexp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// IsAlreadyExists reports whether err says that the object to be created is there already.
func IsAlreadyExists(err error) bool { return apierrors.IsAlreadyExists(err) }

// IsNotFound reports whether err says that the object is not there.
func IsNotFound(err error) bool { return apierrors.IsNotFound(err) }

// IsConflict reports whether err says that somebody else has changed the object meanwhile.
func IsConflict(err error) bool { return apierrors.IsConflict(err) }

// DeniedError is a 403: the server is there, and the user may not do this.
type DeniedError struct {
	User, Verb, Resource, Namespace string
	Err                             error
}

// Error names verb, resource and namespace.
func (e *DeniedError) Error() string {
	where := "in namespace " + e.Namespace
	if e.Namespace == "" {
		where = "in the cluster"
	}
	return fmt.Sprintf("user %q may not %s %s %s", e.User, e.Verb, e.Resource, where)
}

// Hint says whom to ask for what.
func (e *DeniedError) Hint() string {
	return fmt.Sprintf("ask the cluster's admin for a Role that allows %q on %s, or use another context", e.Verb, e.Resource)
}

func (e *DeniedError) Unwrap() error { return e.Err }

// NamespaceError says that the namespace to write into is not there.
type NamespaceError struct {
	Name string
	Err  error
}

// Error names it.
func (e *NamespaceError) Error() string { return fmt.Sprintf("there is no namespace %s", e.Name) }

// Hint is what to do about it.
func (e *NamespaceError) Hint() string {
	return fmt.Sprintf("check --namespace, or make it with kubectl create namespace %s", e.Name)
}

func (e *NamespaceError) Unwrap() error { return e.Err }

// denied matches the API server's authorizer, as in k8s.io/apiserver's responsewriters.
var denied = regexp.MustCompile(`User "([^"]*)" cannot (\S+) resource "([^"]*)"(?: in API group "([^"]*)")?(?: in the namespace "([^"]*)")?`)

// Explain wraps an API error with what was being done; a nil error stays nil. A refusal by the authorizer becomes a
// *DeniedError, a missing namespace a *NamespaceError.
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
	if s, ok := errors.AsType[*apierrors.StatusError](err); ok && apierrors.IsNotFound(err) && s.ErrStatus.Details != nil && s.ErrStatus.Details.Kind == "namespaces" {
		err = &NamespaceError{Name: s.ErrStatus.Details.Name, Err: err}
	}
	return fmt.Errorf(act+": %w", append(args, err)...)
}
