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

// Change is what a run did, or would do, to one object.
type Change struct {
	Kind, Name    string
	State         pipeline.State  // created, configured or deleted
	Before, After metadata.Object // nil before creation and after deletion
}

// Diff returns the change as a unified diff; see the function Diff.
func (c Change) Diff() string { return Diff(c.Before, c.After) }

// contextLines is the number of unchanged lines around a change.
const contextLines = 3

// Diff returns a unified diff of two objects, or "" if they are equal. It omits fields that the server writes and masks
// secret values.
func Diff(before, after metadata.Object) string {
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A:       slices.Collect(strings.Lines(manifest(before))),
		B:       slices.Collect(strings.Lines(manifest(after))),
		Context: contextLines,
	})
	if err != nil { // writing to memory does not fail
		return err.Error()
	}
	return text
}

// serverFields lists the metadata that the API server and controllers write.
var serverFields = []string{
	"creationTimestamp",
	"deletionGracePeriodSeconds",
	"deletionTimestamp",
	"finalizers",
	"generation",
	"managedFields",
	"resourceVersion",
	"selfLink",
	"uid",
}

// bookkeepingAnnotations lists the annotations that controllers, kubectl and norn write for themselves.
var bookkeepingAnnotations = []string{
	metadata.RevisionAnnotation,
	metadata.RestartPendingAnnotation,
	metadata.UIDAnnotation,
	metadata.ExpiresAnnotation,
	metadata.RepositoryAnnotation,
	"kubectl.kubernetes.io/last-applied-configuration",
	"pv.kubernetes.io/bind-completed",
	"pv.kubernetes.io/bound-by-controller",
	"volume.beta.kubernetes.io/storage-provisioner",
	"volume.kubernetes.io/selected-node",
	"volume.kubernetes.io/storage-provisioner",
}

// maskVariables masks the values of environment variables that look like secrets, at any depth of an object.
func maskVariables(v any) {
	switch v := v.(type) {
	case map[string]any:
		name, hasName := v["name"].(string)
		if value, ok := v["value"].(string); ok && hasName && infraspec.LooksSecret(name, value) {
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

// manifest returns an object's YAML without status and server fields, and with secret values masked.
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
	object, err := toMap(o)
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
			maps.DeleteFunc(annotations, func(name string, _ any) bool {
				return slices.Contains(bookkeepingAnnotations, name)
			})
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
