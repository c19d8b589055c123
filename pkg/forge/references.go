package forge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// MissingReferenceError reports that the infraspec refers to Secrets or keys that the namespace does not have, so new
// Pods could not start.
type MissingReferenceError struct {
	Namespace string
	Missing   []MissingReference // at least one
}

// MissingReference is a reference to a Secret or a key that does not exist.
type MissingReference struct {
	infraspec.SecretReference
	Keys []string // of the Secret, or nil if it does not exist
}

// String says what is missing, and for which secret of the infraspec.
func (m MissingReference) String() string {
	if m.Keys == nil {
		return fmt.Sprintf("%s: there is no Secret %s", m.Name, m.Secret)
	}
	text := fmt.Sprintf("%s: Secret %s has no key %s", m.Name, m.Secret, m.Key)
	if near := infraspec.Nearest(m.Key, m.Keys); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return text
}

// Error names the secrets, the Secrets and the keys.
func (e *MissingReferenceError) Error() string {
	var all []string
	for _, m := range e.Missing {
		all = append(all, m.String())
	}
	return fmt.Sprintf("the new Pods could not start in namespace %s: %s", e.Namespace, strings.Join(all, "; "))
}

// Hint says what to do.
func (e *MissingReferenceError) Hint() string {
	return "create the Secret, or fix from under secrets in the infraspec; kubectl get secrets lists the names"
}

// Referenced holds the Secrets that an infraspec refers to.
type Referenced struct {
	Secrets map[string]*corev1.Secret // by name, without missing ones
	Denied  []error                   // for the Secrets that the user is not allowed to read
	denied  []string
}

// ReadReferenced reads the Secrets of references. A missing Secret, or one that the user is not allowed to read, is not
// an error.
func ReadReferenced(
	ctx context.Context, cluster *k8s.Client, ns string, refs []infraspec.SecretReference,
) (Referenced, error) {
	read := Referenced{Secrets: map[string]*corev1.Secret{}}
	var names []string
	for _, ref := range refs {
		names = append(names, ref.Secret)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		s, err := cluster.GetSecret(ctx, ns, name)
		switch {
		case err == nil:
			read.Secrets[name] = s
		case errors.As(err, new(*k8s.DeniedError)):
			read.Denied, read.denied = append(read.Denied, err), append(read.denied, name)
		case !k8s.IsNotFound(err):
			return Referenced{}, err
		}
	}
	return read, nil
}

// Hide calls hide with each value of the references that was read.
func (r Referenced) Hide(refs []infraspec.SecretReference, hide func(name, value string)) {
	for _, ref := range refs {
		s := r.Secrets[ref.Secret]
		if s == nil {
			continue
		}
		for key, value := range s.Data {
			if ref.Key == key || ref.Key == "" {
				hide(ref.Name, string(value))
			}
		}
	}
}

// Missing returns the references to Secrets and keys that do not exist. It does not judge Secrets that the user is not
// allowed to read.
func (r Referenced) Missing(refs []infraspec.SecretReference) []MissingReference {
	var missing []MissingReference
	for _, ref := range refs {
		s := r.Secrets[ref.Secret]
		if s == nil {
			if !slices.Contains(r.denied, ref.Secret) {
				missing = append(missing, MissingReference{SecretReference: ref})
			}
			continue
		}
		keys := []string{}
		for key := range s.Data {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		if !slices.Contains(keys, ref.Key) {
			missing = append(missing, MissingReference{ref, keys})
		}
	}
	return missing
}

// Check returns a *MissingReferenceError if Secrets or keys of the references do not exist.
func (r Referenced) Check(ns string, refs []infraspec.SecretReference) error {
	if missing := r.Missing(refs); len(missing) > 0 {
		return &MissingReferenceError{ns, missing}
	}
	return nil
}

// NotChecked returns a line for each Secret that the user is not allowed to read.
func (r Referenced) NotChecked() []string {
	return r.deniedLines("Secret %s is not checked, and its values in the Pods' output are not hidden: %v")
}

// NotHidden returns a line for each Secret whose values cannot be hidden, because the user is not allowed to read it.
func (r Referenced) NotHidden() []string {
	return r.deniedLines("the values of Secret %s in the Pods' output are not hidden: %v")
}

// deniedLines returns a line for each Secret that the user is not allowed to read. format gets its name and the error.
func (r Referenced) deniedLines(format string) []string {
	var lines []string
	for i, name := range r.denied {
		lines = append(lines, fmt.Sprintf(format, name, r.Denied[i]))
	}
	return lines
}

// checkReferences returns a *MissingReferenceError if the infraspec refers to Secrets or keys that do not exist. A
// deploy checks them itself.
func (r *run) checkReferences(ctx context.Context) error {
	refs := r.spec.References()
	if len(refs) == 0 || r.options.DeployFollows {
		return nil
	}
	read, err := ReadReferenced(ctx, r.cluster, r.options.Namespace, refs)
	if err != nil {
		return err
	}
	for _, line := range read.NotChecked() {
		r.to.Report(pipeline.Event{Kind: pipeline.Warned, Step: CheckStep, Line: line})
	}
	return read.Check(r.options.Namespace, refs)
}
