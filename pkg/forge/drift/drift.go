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

// Fields returns the fields in which live differs from what forge would apply: changed in the file or in the cluster, added
// to the file, or dropped from it. It compares locally, by the fields that the API server has recorded as forge's
// (kubernetes.io: Server-Side Apply, Field management); norn diff asks the server.
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
	want, err := tree(desired)
	if err != nil {
		return nil, err
	}
	have, err := tree(live)
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
	c.share("", shared)
	c.mapping("", owned, want, have)
	slices.Sort(c.differ)
	return slices.Compact(c.differ), nil
}

// ownedFields is the set of fields that a manager has applied, in the API server's own form, or nil where there is none.
func ownedFields(live metav1.Object, manager string) (map[string]any, error) {
	for _, m := range live.GetManagedFields() {
		if m.Manager != manager || m.Operation != metav1.ManagedFieldsOperationApply || m.Subresource != "" || m.FieldsV1 == nil {
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

func tree(object any) (map[string]any, error) {
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

// comparison walks what is owned, what is wanted and what is there side by side.
type comparison struct {
	differ []string
	shared map[string]bool // paths of what a deploy owns too: forge lets go of those, which changes nothing
}

func (c *comparison) differs(path string) { c.differ = append(c.differ, path) }

// share notes the paths of a set of fields.
func (c *comparison) share(path string, owned map[string]any) {
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
			c.share(at, below)
		}
	}
}

// mapping compares the keys of a mapping; owned says of each field f:NAME that forge has applied it.
func (c *comparison) mapping(path string, owned map[string]any, want, have map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(owned)) {
		name, isField := strings.CutPrefix(key, "f:")
		if !isField {
			continue
		}
		at := strings.TrimPrefix(path+"."+name, ".")
		wanted, still := want[name]
		if !still && !c.shared[at] {
			c.differs(at)
		}
		if !still {
			continue
		}
		sub, _ := owned[key].(map[string]any)
		c.value(at, sub, wanted, have[name])
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, ok := owned["f:"+name]; !ok && !empty(want[name]) {
			c.differs(strings.TrimPrefix(path+"."+name, "."))
		}
	}
}

func (c *comparison) value(path string, owned map[string]any, want, have any) {
	wantMap, isMap := want.(map[string]any)
	wantList, isList := want.([]any)
	switch {
	case isMap && len(owned) > 0:
		haveMap, _ := have.(map[string]any)
		c.mapping(path, owned, wantMap, haveMap)
	case isList && len(owned) > 0:
		haveList, _ := have.([]any)
		c.list(path, owned, wantList, haveList)
	case !equal(path, want, have):
		c.differs(path)
	}
}

// list compares a list whose items are told apart by key fields; owned says of each k:{…} that forge has applied it.
func (c *comparison) list(path string, owned map[string]any, want, have []any) {
	known := map[int]bool{}
	for _, key := range slices.Sorted(maps.Keys(owned)) {
		text, keyed := strings.CutPrefix(key, "k:")
		var keys map[string]any
		if !keyed || json.Unmarshal([]byte(text), &keys) != nil {
			continue
		}
		i := find(want, keys)
		if i < 0 {
			c.differs(path + label(keys))
			continue
		}
		known[i] = true
		item, _ := want[i].(map[string]any)
		var there map[string]any
		if j := find(have, keys); j >= 0 {
			there, _ = have[j].(map[string]any)
		}
		sub, _ := owned[key].(map[string]any)
		c.mapping(path+label(keys), sub, item, there)
	}
	for i, item := range want {
		if m, ok := item.(map[string]any); ok && !known[i] {
			c.differs(path + label(m))
		}
	}
}

// find is the place of the item with these key fields, or -1.
func find(list []any, keys map[string]any) int {
	return slices.IndexFunc(list, func(item any) bool {
		m, ok := item.(map[string]any)
		for k, v := range keys {
			ok = ok && reflect.DeepEqual(m[k], v)
		}
		return ok
	})
}

// label names an item of a list for people: [LOG], or [8080] for a port.
func label(keys map[string]any) string {
	for _, k := range []string{"name", "mountPath", "containerPort", "port"} {
		if v, ok := keys[k]; ok && v != nil {
			return fmt.Sprintf("[%v]", v)
		}
	}
	return "[…]"
}

// equal compares values; what the server leaves out because it is empty is equal to the empty value.
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

// ShortField returns a field's path without the part that all fields of a container share.
func ShortField(path string) string {
	if _, field, ok := strings.Cut(path, "containers["); ok {
		if _, rest, ok := strings.Cut(field, "]."); ok {
			return rest
		}
	}
	return strings.TrimPrefix(path, "spec.")
}
