package k8s

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// IsAlreadyExists reports whether err says that the object to create already exists.
func IsAlreadyExists(err error) bool { return apierrors.IsAlreadyExists(err) }

// IsNotFound reports whether err says that the object does not exist.
func IsNotFound(err error) bool { return apierrors.IsNotFound(err) }

// IsConflict reports whether err says that somebody else changed the object in between.
func IsConflict(err error) bool { return apierrors.IsConflict(err) }

// IsMissingLog reports whether err says that a container has no such log: it has not started, has not run before, or
// its Pod is gone.
func IsMissingLog(err error) bool { return apierrors.IsBadRequest(err) || apierrors.IsNotFound(err) }

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

// NamespaceError reports that a namespace does not exist, or is being deleted.
type NamespaceError struct {
	Name        string
	Terminating bool
	Key         string // the infraspec's key that sets it, or "" for --namespace
	Err         error
}

// Error names the namespace.
func (e *NamespaceError) Error() string {
	if e.Terminating {
		return fmt.Sprintf("namespace %s is being deleted", e.Name)
	}
	return fmt.Sprintf("namespace %s does not exist", e.Name)
}

// Hint returns what to do about it.
func (e *NamespaceError) Hint() string {
	check, choose := "check --namespace", "choose another with --namespace"
	if e.Key != "" {
		check, choose = fmt.Sprintf("check %s in the infraspec", e.Key), "change "+e.Key+" in the infraspec"
	}
	if e.Terminating {
		return "wait until it is gone and create it again, or " + choose
	}
	return fmt.Sprintf("%s, or create it with kubectl create namespace %s", check, e.Name)
}

func (e *NamespaceError) Unwrap() error { return e.Err }

// DeletionError reports a change of an object that is being deleted. The change is lost with the object.
type DeletionError struct {
	Since      time.Time
	Finalizers []string
}

// Error says since when the object is being deleted, and what holds it.
func (e *DeletionError) Error() string {
	text := "it is being deleted (since " + e.Since.UTC().Format(time.RFC3339) + ")"
	if len(e.Finalizers) > 0 {
		text += ", held by finalizers: " + strings.Join(e.Finalizers, ", ")
	}
	return text
}

// Hint returns what to do about it.
func (e *DeletionError) Hint() string {
	return "wait until it is gone, then run the same command again"
}

// denied matches the error message for a denied request. The API server has no fields for user and verb
// (k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go).
var denied = regexp.MustCompile(`User "([^"]*)" cannot (\S+) resource "([^"]*)"` +
	`(?: in API group "([^"]*)")?(?: in the namespace "([^"]*)")?`)

// Explain wraps err with the failed action, described by act and args. A denied request becomes a *DeniedError, and a
// missing or terminating namespace a *NamespaceError. Explain returns nil if err is nil.
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
	if cause, ok := apierrors.StatusCause(err, corev1.NamespaceTerminatingCause); ok {
		name, _, _ := strings.Cut(strings.TrimPrefix(cause.Message, "namespace "), " ") // the cause has no field for it
		err = &NamespaceError{Name: name, Terminating: true, Err: err}
	}
	return fmt.Errorf(act+": %w", append(args, err)...)
}
