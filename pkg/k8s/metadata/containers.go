package metadata

import (
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ManagedContainers returns the names of the containers that norn has applied to a workload's Pod template, by the
// owners of its fields. The Pods may have others, which people add to the template or admission controllers inject.
func ManagedContainers(workload metav1.Object) []string {
	var names []string
	for _, m := range workload.GetManagedFields() {
		applied := m.Operation == metav1.ManagedFieldsOperationApply && m.Subresource == ""
		if !applied || m.Manager != ForgeManager && m.Manager != DeployManager || m.FieldsV1 == nil {
			continue
		}
		var fields map[string]any
		if json.Unmarshal(m.FieldsV1.GetRawBytes(), &fields) == nil {
			names = append(names, containersIn(fields)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// containersIn returns the names of the containers in a set of fields. The names are the keys of the lists' items
// (kubernetes.io: Server-Side Apply, field management).
func containersIn(fields map[string]any) []string {
	var names []string
	for key, below := range fields {
		set, ok := below.(map[string]any)
		switch {
		case !ok:
		case key == "f:containers" || key == "f:initContainers":
			for item := range set {
				var keys struct{ Name string }
				text, isItem := strings.CutPrefix(item, "k:")
				if isItem && json.Unmarshal([]byte(text), &keys) == nil && keys.Name != "" {
					names = append(names, keys.Name)
				}
			}
		default:
			names = append(names, containersIn(set)...)
		}
	}
	return names
}
