// Package drift finds how live objects differ from what forge would apply. It makes no calls.
package drift

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// Fields returns the paths at which live differs from desired, the object that forge would apply. A path differs if it
// changed in the infraspec or in the cluster, or was added to or removed from the infraspec. Fields compares locally,
// by the fields that the API server records as forge's (kubernetes.io: Server-Side Apply, Field management). norn diff
// uses a dry run on the server instead.
func Fields(desired any, live metav1.Object) ([]string, error) {
	owned, err := ownedFields(live, metadata.ForgeManager)
	if err != nil {
		return nil, err
	}
	shared, err := ownedFields(live, metadata.DeployManager)
	if err != nil {
		return nil, err
	}
	if owned == nil {
		return []string{"the whole object: forge has not applied it yet"}, nil
	}
	want, err := toMap(desired)
	if err != nil {
		return nil, err
	}
	have, err := toMap(live)
	if err != nil {
		return nil, err
	}
	for _, identity := range []string{"apiVersion", "kind"} {
		delete(want, identity)
	}
	if meta, ok := want["metadata"].(map[string]any); ok {
		delete(meta, "name")
		delete(meta, "namespace")
	}
	c := &comparison{shared: map[string]bool{}}
	c.markShared("", shared)
	c.compareMap("", owned, want, have)
	slices.Sort(c.differing)
	return slices.Compact(c.differing), nil
}

// ownedFields returns the set of fields that a manager has applied, in the FieldsV1 format, or nil.
func ownedFields(live metav1.Object, manager string) (map[string]any, error) {
	for _, m := range live.GetManagedFields() {
		applied := m.Manager == manager && m.Operation == metav1.ManagedFieldsOperationApply
		if !applied || m.Subresource != "" || m.FieldsV1 == nil {
			continue
		}
		var set map[string]any
		if err := json.Unmarshal(m.FieldsV1.GetRawBytes(), &set); err != nil {
			return nil, fmt.Errorf("read the managed fields of %s: %w", live.GetName(), err)
		}
		return set, nil
	}
	return nil, nil
}

func toMap(object any) (map[string]any, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("compare with the cluster: %w", err)
	}
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("compare with the cluster: %w", err)
	}
	return out, nil
}

// comparison collects the differing paths of an object.
type comparison struct {
	differing []string
	shared    map[string]bool // paths that a deploy owns too: giving up forge's ownership changes nothing
}

func (c *comparison) addDiffering(path string) { c.differing = append(c.differing, path) }

// markShared records the paths of a set of fields.
func (c *comparison) markShared(path string, owned map[string]any) {
	for key, sub := range owned {
		at := path
		var keys map[string]any
		if name, ok := strings.CutPrefix(key, "f:"); ok {
			at = strings.TrimPrefix(path+"."+name, ".")
		} else if text, ok := strings.CutPrefix(key, "k:"); ok && json.Unmarshal([]byte(text), &keys) == nil {
			at = path + label(keys)
		}
		c.shared[at] = true
		if below, ok := sub.(map[string]any); ok && at != path {
			c.markShared(at, below)
		}
	}
}

// compareMap compares the fields of a map. The keys f:NAME of owned are the fields that forge has applied.
func (c *comparison) compareMap(path string, owned map[string]any, want, have map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(owned)) {
		name, isField := strings.CutPrefix(key, "f:")
		if !isField {
			continue
		}
		at := strings.TrimPrefix(path+"."+name, ".")
		wanted, ok := want[name]
		if !ok && !c.shared[at] && !isDefault(name, have[name]) {
			c.addDiffering(at)
		}
		if !ok {
			continue
		}
		sub, _ := owned[key].(map[string]any)
		c.compareValue(at, sub, wanted, have[name])
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, ok := owned["f:"+name]; !ok && !empty(want[name]) {
			c.addDiffering(strings.TrimPrefix(path+"."+name, "."))
		}
	}
}

func (c *comparison) compareValue(path string, owned map[string]any, want, have any) {
	wantMap, isMap := want.(map[string]any)
	wantList, isList := want.([]any)
	switch {
	case isMap && len(owned) > 0:
		haveMap, _ := have.(map[string]any)
		c.compareMap(path, owned, wantMap, haveMap)
	case isList && len(owned) > 0:
		haveList, _ := have.([]any)
		c.compareList(path, owned, wantList, haveList)
	case !equal(path, want, have):
		c.addDiffering(path)
	}
}

// compareList compares a list whose items have key fields. The keys k:{…} of owned are the items that forge has
// applied.
func (c *comparison) compareList(path string, owned map[string]any, want, have []any) {
	known := map[int]bool{}
	for _, key := range slices.Sorted(maps.Keys(owned)) {
		text, keyed := strings.CutPrefix(key, "k:")
		var keys map[string]any
		if !keyed || json.Unmarshal([]byte(text), &keys) != nil {
			continue
		}
		i := indexOf(want, keys)
		if i < 0 {
			c.addDiffering(path + label(keys))
			continue
		}
		known[i] = true
		item, _ := want[i].(map[string]any)
		var liveItem map[string]any
		if j := indexOf(have, keys); j >= 0 {
			liveItem, _ = have[j].(map[string]any)
		}
		sub, _ := owned[key].(map[string]any)
		c.compareMap(path+label(keys), sub, item, liveItem)
	}
	for i, item := range want {
		if m, ok := item.(map[string]any); ok && !known[i] {
			c.addDiffering(path + label(m))
		}
	}
}

// indexOf returns the index of the item whose key fields equal keys, or -1.
func indexOf(list []any, keys map[string]any) int {
	return slices.IndexFunc(list, func(item any) bool {
		m, ok := item.(map[string]any)
		for k, v := range keys {
			ok = ok && reflect.DeepEqual(m[k], v)
		}
		return ok
	})
}

// label returns a readable index for an item of a list, such as [LOG] for a variable or [8080] for a port.
func label(keys map[string]any) string {
	for _, k := range []string{"name", "mountPath", "containerPort", "port"} {
		if v, ok := keys[k]; ok && v != nil {
			return fmt.Sprintf("[%v]", v)
		}
	}
	return "[…]"
}

// equal reports whether two values are equal. An absent value equals an empty one, which the server omits.
func equal(path string, want, have any) bool {
	if have == nil {
		return empty(want)
	}
	wantText, ok1 := want.(string)
	haveText, ok2 := have.(string)
	if ok1 && ok2 && (strings.Contains(path, ".requests.") || strings.Contains(path, ".limits.")) {
		a, err1 := resource.ParseQuantity(wantText)
		b, err2 := resource.ParseQuantity(haveText)
		return err1 == nil && err2 == nil && a.Cmp(b) == 0
	}
	return reflect.DeepEqual(want, have)
}

func empty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	default:
		return v == nil || reflect.ValueOf(v).IsZero()
	}
}

// ShortField returns a field's path without the prefix that all fields of a container, or of an object, share.
func ShortField(path string) string {
	if _, field, ok := strings.Cut(path, "containers["); ok {
		if _, rest, ok := strings.Cut(field, "]."); ok {
			return rest
		}
	}
	return strings.TrimPrefix(path, "spec.")
}
