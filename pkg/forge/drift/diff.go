package drift

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// Change describes what a run did, or would do, to one object.
type Change struct {
	Kind, Name    string
	State         pipeline.State  // created, configured or deleted
	Before, After metadata.Object // nil where there is none
}

// Diff returns the change as a unified diff; see the function Diff.
func (c Change) Diff() string { return Diff(c.Before, c.After) }

// contextLines is how much of what stays the same is shown around a change.
const contextLines = 3

// Diff returns a unified diff of two objects, without the fields that only the server writes. It is "" if nothing differs.
func Diff(before, after metadata.Object) string {
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{A: lines(manifest(before)), B: lines(manifest(after)), Context: contextLines})
	if err != nil { // it writes into memory, which does not fail
		return err.Error()
	}
	return text
}

// lines cuts a text after its line ends.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
}

// serverFields are what the API server and the controllers keep in an object's metadata.
var serverFields = []string{"managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "finalizers", "deletionTimestamp", "deletionGracePeriodSeconds"}

// serverAnnotations are the annotations that controllers write, and norn for itself.
var serverAnnotations = []string{
	metadata.RevisionAnnotation, metadata.RestartPendingAnnotation, "kubectl.kubernetes.io/last-applied-configuration",
	"pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller", "volume.kubernetes.io/selected-node", "volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner",
}

// maskVariables hides the values of environment variables that look like secrets, wherever they stand in an object.
func maskVariables(v any) {
	switch v := v.(type) {
	case map[string]any:
		name, isNamed := v["name"].(string)
		if value, ok := v["value"].(string); ok && isNamed && infraspec.LooksSecret(name, value) {
			v["value"] = objects.Placeholder
		}
		for _, child := range v {
			maskVariables(child)
		}
	case []any:
		for _, child := range v {
			maskVariables(child)
		}
	}
}

// manifest is an object as its owner would write it. A Secret's values are not in it.
func manifest(o metadata.Object) string {
	if o == nil {
		return ""
	}
	if secret, ok := o.(*corev1.Secret); ok {
		masked := secret.DeepCopy()
		for key := range masked.Data {
			masked.Data[key] = []byte(objects.Placeholder)
		}
		o = masked
	}
	object, err := tree(o)
	if err != nil {
		return err.Error()
	}
	delete(object, "status")
	maskVariables(object)
	if meta, ok := object["metadata"].(map[string]any); ok {
		for _, name := range serverFields {
			delete(meta, name)
		}
		if annotations, ok := meta["annotations"].(map[string]any); ok {
			maps.DeleteFunc(annotations, func(name string, _ any) bool { return slices.Contains(serverAnnotations, name) })
			if len(annotations) == 0 {
				delete(meta, "annotations")
			}
		}
	}
	data, err := yaml.Marshal(object)
	if err != nil {
		return fmt.Sprintf("%v", err)
	}
	return string(data)
}
