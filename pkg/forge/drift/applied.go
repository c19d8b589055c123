package drift

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/k8s/metadata"
)

// Applied returns a JSON patch (RFC 6902) that changes live as applying desired would. With adopt, forge first takes
// over the fields of the managers that metadata.Adoptable names. A dry run needs this, because the API server plans
// only one write at a time (kubernetes.io: Server-Side Apply, Merge strategy).
func Applied(live metadata.Object, desired any, adopt bool) ([]byte, error) {
	have, err := toMap(live)
	if err != nil {
		return nil, err
	}
	want, err := toMap(desired)
	if err != nil {
		return nil, err
	}
	var given, kept []map[string]any
	for _, m := range live.GetManagedFields() {
		var set map[string]any
		if m.FieldsV1 == nil || json.Unmarshal(m.FieldsV1.GetRawBytes(), &set) != nil {
			continue
		}
		forges := m.Manager == metadata.ForgeManager && m.Operation == metav1.ManagedFieldsOperationApply
		if forges && m.Subresource == "" || adopt && metadata.Adoptable(m) {
			given = append(given, set)
		} else {
			kept = append(kept, set)
		}
	}
	for _, set := range given {
		releaseFields(have, set, want, kept)
	}
	return patchTo(live, have, want)
}

// patchTo returns the patch for live that merges want into have.
func patchTo(live metadata.Object, have, want map[string]any) ([]byte, error) {
	original, err := json.Marshal(have)
	if err != nil {
		return nil, fmt.Errorf("plan the change of %s: %w", live.GetName(), err)
	}
	patch, err := json.Marshal(want)
	if err != nil {
		return nil, fmt.Errorf("plan the change of %s: %w", live.GetName(), err)
	}
	merged, err := strategicpatch.StrategicMergePatch(original, patch, live)
	if err != nil {
		return nil, fmt.Errorf("plan the change of %s: %w", live.GetName(), err)
	}
	var after struct {
		Metadata struct {
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
		Spec map[string]any `json:"spec"`
	}
	if err := json.Unmarshal(merged, &after); err != nil {
		return nil, fmt.Errorf("plan the change of %s: %w", live.GetName(), err)
	}
	if strategy, ok := after.Spec["strategy"].(map[string]any); ok && strategy["type"] == "Recreate" {
		delete(strategy, "rollingUpdate")
	}
	return jsonPatch(map[string]any{
		"/metadata/labels": after.Metadata.Labels, "/metadata/annotations": after.Metadata.Annotations, "/spec": after.Spec,
	})
}

// jsonPatch returns a JSON patch that sets the values at these paths.
func jsonPatch(values map[string]any) ([]byte, error) {
	var ops []map[string]any
	for _, path := range slices.Sorted(maps.Keys(values)) {
		ops = append(ops, map[string]any{"op": "add", "path": path, "value": values[path]})
	}
	data, err := json.Marshal(ops)
	if err != nil {
		return nil, fmt.Errorf("plan a change: %w", err)
	}
	return data, nil
}

// releaseFields removes the fields of a set from a live map, except what want sets or a kept set contains.
func releaseFields(have, set, want map[string]any, kept []map[string]any) {
	for key, sub := range set {
		name, isField := strings.CutPrefix(key, "f:")
		live, exists := have[name]
		if !isField || !exists {
			continue
		}
		below, _ := sub.(map[string]any)
		others := under(kept, key)
		wanted, isWanted := want[name]
		if !isWanted && len(others) == 0 && isMember(below) {
			delete(have, name)
			continue
		}
		switch live := live.(type) {
		case map[string]any:
			wanted, _ := wanted.(map[string]any)
			releaseFields(live, below, wanted, others)
		case []any:
			wanted, _ := wanted.([]any)
			have[name] = releaseItems(live, below, wanted, others)
		}
	}
}

// releaseItems returns a live list without the items of a set, except what want has or a kept set contains.
func releaseItems(have []any, set map[string]any, want []any, kept []map[string]any) []any {
	for key, sub := range set {
		text, keyed := strings.CutPrefix(key, "k:")
		var keys map[string]any
		if !keyed || json.Unmarshal([]byte(text), &keys) != nil {
			continue
		}
		at := indexOf(have, keys)
		if at < 0 {
			continue
		}
		below, _ := sub.(map[string]any)
		others := under(kept, key)
		wanted := map[string]any{}
		if i := indexOf(want, keys); i >= 0 {
			wanted, _ = want[i].(map[string]any)
		} else if len(others) == 0 && isMember(below) {
			have = slices.Delete(slices.Clone(have), at, at+1)
			continue
		}
		if item, ok := have[at].(map[string]any); ok {
			releaseFields(item, below, wanted, others)
		}
	}
	return have
}

// isMember reports whether a set contains the field itself, and not only fields below it.
func isMember(below map[string]any) bool {
	_, itself := below["."]
	return itself || len(below) == 0
}

// under returns what the sets contain at and below a key.
func under(sets []map[string]any, key string) []map[string]any {
	var out []map[string]any
	for _, set := range sets {
		if sub, ok := set[key].(map[string]any); ok {
			out = append(out, sub)
		}
	}
	return out
}

// FreedPorts returns a copy of a live Service in which the names of conf's ports are free for them. It returns nil if
// they are already. A port's name is unique, but server-side apply merges ports by their number, so an apply would add
// a second port of that name (github.com/kubernetes/kubernetes/issues/131147).
func FreedPorts(live *corev1.Service, conf *applycore.ServiceApplyConfiguration) *corev1.Service {
	if live == nil {
		return nil
	}
	freed := live.DeepCopy()
	for _, want := range conf.Spec.Ports {
		same := func(p corev1.ServicePort) bool { return p.Port == *want.Port && p.Protocol == *want.Protocol }
		taken := slices.IndexFunc(freed.Spec.Ports, func(p corev1.ServicePort) bool {
			return p.Name == *want.Name && !same(p)
		})
		switch {
		case taken < 0:
		case slices.ContainsFunc(freed.Spec.Ports, same):
			freed.Spec.Ports = slices.Delete(freed.Spec.Ports, taken, taken+1)
		default:
			freed.Spec.Ports[taken].Port, freed.Spec.Ports[taken].Protocol = *want.Port, *want.Protocol
		}
	}
	if reflect.DeepEqual(freed.Spec.Ports, live.Spec.Ports) {
		return nil
	}
	return freed
}

// PortsPatch returns a JSON patch that gives a Service the ports of s.
func PortsPatch(s *corev1.Service) ([]byte, error) {
	return jsonPatch(map[string]any{"/spec/ports": s.Spec.Ports})
}
