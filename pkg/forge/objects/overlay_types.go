package objects

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"norn/pkg/infraspec"
)

// maxNodes limits the values of a document, which aliases could multiply endlessly.
const maxNodes = 20_000

// quotable matches keys that a message may quote: no secret is that short and plain.
var quotable = regexp.MustCompile(`^[A-Za-z$][A-Za-z./-]{0,40}$`)

// value reads a value strictly as a type of Kubernetes, and returns it for JSON. path names the value in findings,
// which never quote it.
func (r *overlayReader) value(n *yaml.Node, t reflect.Type, path string) any {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if r.visited++; r.visited > maxNodes {
		if r.visited == maxNodes+1 {
			r.add(n, infraspec.Error, infraspec.RuleTooMany, "the document has more than %d values", maxNodes)
		}
		return nil
	}
	if n.Tag == "!!null" {
		r.add(n, infraspec.Error, infraspec.RuleWrongType,
			"%s is empty; an overlay can add and change fields, but not remove them", path)
		return nil
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if _, own := reflect.New(t).Interface().(json.Unmarshaler); own {
		return r.special(n, t, path)
	}
	switch t.Kind() {
	case reflect.Struct:
		return r.object(n, t, path)
	case reflect.Map:
		return r.mapping(n, t, path)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return r.scalar(n, reflect.TypeFor[string](), path)
		}
		return r.list(n, t, path)
	default:
		return r.scalar(n, t, path)
	}
}

// special reads a value of a type with a syntax of its own, such as a quantity.
func (r *overlayReader) special(n *yaml.Node, t reflect.Type, path string) any {
	var value any
	if n.Kind != yaml.ScalarNode || n.Decode(&value) != nil {
		r.wrong(n, path, typeNames[t.Name()])
		return nil
	}
	if t.Name() == "Quantity" || n.Tag == "!!timestamp" { // as written: a number loses digits
		value = n.Value
	}
	data, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(data, reflect.New(t).Interface())
	}
	if err != nil {
		r.wrong(n, path, typeNames[t.Name()])
		return nil
	}
	return value
}

// typeNames describe the types with a syntax of their own.
var typeNames = map[string]string{
	"Quantity": "an amount such as 100m or 1Gi", "IntOrString": "a whole number or a string",
	"Time": "a time such as 2026-01-02T03:04:05Z",
}

func (r *overlayReader) wrong(n *yaml.Node, path, want string) {
	if want == "" {
		want = "another value"
	}
	r.add(n, infraspec.Error, infraspec.RuleWrongType, "%s must be %s", path, want)
}

// object reads a mapping with the fields of a struct.
func (r *overlayReader) object(n *yaml.Node, t reflect.Type, path string) any {
	if n.Kind != yaml.MappingNode {
		r.wrong(n, path, "a mapping")
		return nil
	}
	types := map[string]reflect.Type{}
	lists := map[string]string{} // the merge keys of lists
	jsonFields(t, types, lists)
	out, set := map[string]any{}, map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		ft, known := types[key.Value]
		again, why := set[key.Value], r.protected(at)
		set[key.Value] = true
		switch {
		case !known:
			r.unknown(key, path, types)
			continue
		case again:
			r.twice(key, at)
			continue
		case path == "" && (key.Value == "kind" || key.Value == "apiVersion"):
			continue
		case why != "":
			r.add(key, infraspec.Error, infraspec.RuleOverlay, "an overlay cannot set %s: %s", at, why)
			continue
		}
		out[key.Value] = r.value(value, ft, at)
		r.checkNode(key, value, at)
		if by := lists[key.Value]; by != "" {
			r.items(value, by, at)
		}
	}
	return out
}

// jsonFields adds the fields of a struct, and those of its embedded structs, with their types and merge keys.
func jsonFields(t reflect.Type, types map[string]reflect.Type, lists map[string]string) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "" && (options == "inline" || f.Anonymous):
			jsonFields(f.Type, types, lists)
		case name != "" && name != "-":
			types[name] = f.Type
			if f.Type.Kind() == reflect.Slice {
				lists[name] = f.Tag.Get("patchMergeKey")
			}
		}
	}
}

// twice reports a key that a mapping sets a second time.
func (r *overlayReader) twice(key *yaml.Node, path string) {
	r.add(key, infraspec.Error, infraspec.RuleDuplicateKey, "%s is already set", path)
}

func (r *overlayReader) unknown(key *yaml.Node, path string, types map[string]reflect.Type) {
	in := ""
	if path != "" {
		in = " in " + path
	}
	if !quotable.MatchString(key.Value) {
		r.add(key, infraspec.Error, infraspec.RuleUnknownKey, "unknown field%s", in)
		return
	}
	hint := ""
	var names []string
	for name := range types {
		names = append(names, name)
	}
	if strings.HasPrefix(key.Value, "$") || key.Value == "<<" {
		hint = "; an overlay has no directives"
	} else if near := nearest(key.Value, names); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	r.add(key, infraspec.Error, infraspec.RuleUnknownKey, "unknown field %q%s%s", key.Value, in, hint)
}

// nearest returns the name that differs from key in case or in a typo, or "".
func nearest(key string, names []string) string {
	for _, name := range names {
		if strings.EqualFold(name, key) {
			return name
		}
	}
	return infraspec.Nearest(key, names)
}

// items checks that each item of a list sets the key by which Kubernetes merges the list.
func (r *overlayReader) items(list *yaml.Node, by, path string) {
	if list.Kind != yaml.SequenceNode {
		return
	}
	for i, item := range list.Content {
		if item.Kind == yaml.AliasNode {
			item = item.Alias
		}
		if item.Kind == yaml.MappingNode && field(item, by) == nil {
			r.add(item, infraspec.Error, infraspec.RuleRequired, "%s[%d].%s is missing; it says which item to change",
				path, i, by)
		}
	}
}

func (r *overlayReader) mapping(n *yaml.Node, t reflect.Type, path string) any {
	if n.Kind != yaml.MappingNode {
		r.wrong(n, path, "a mapping")
		return nil
	}
	out := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if infraspec.IsReserved(key.Value) && isMetadata(path) {
			r.add(key, infraspec.Error, infraspec.RuleOverlay, "an overlay cannot set %s.%s: norn or Kubernetes sets it",
				path, key.Value)
			continue
		}
		at := path + "[]"
		if quotable.MatchString(key.Value) {
			at = path + "." + key.Value
		}
		if _, set := out[key.Value]; set {
			r.twice(key, at)
			continue
		}
		out[key.Value] = r.value(n.Content[i+1], t.Elem(), at)
	}
	return out
}

func isMetadata(path string) bool {
	return strings.HasSuffix(path, "metadata.labels") || strings.HasSuffix(path, "metadata.annotations")
}

func (r *overlayReader) list(n *yaml.Node, t reflect.Type, path string) any {
	if n.Kind != yaml.SequenceNode {
		r.wrong(n, path, "a list")
		return nil
	}
	out := []any{}
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		out = append(out, r.value(item, t.Elem(), at))
		if item.Kind == yaml.AliasNode {
			item = item.Alias
		}
		r.checkItem(item, path, at)
	}
	return out
}

// scalar reads a single value.
func (r *overlayReader) scalar(n *yaml.Node, t reflect.Type, path string) any {
	kind, want, tag := t.Kind(), "a string", "!!str"
	switch kind {
	case reflect.Bool:
		want, tag = "true or false", "!!bool"
	case reflect.Int, reflect.Int32, reflect.Int64:
		want, tag = "a whole number", "!!int"
	case reflect.Float64:
		want, tag = "a number", "!!float"
	}
	var value any
	if n.Kind != yaml.ScalarNode || n.ShortTag() != tag || n.Decode(&value) != nil {
		if tag == "!!str" && n.Kind == yaml.ScalarNode {
			want = "a string; put it in quotes"
		}
		r.wrong(n, path, want)
		return nil
	}
	if whole, ok := value.(int); ok && kind != reflect.Float64 && reflect.Zero(t).OverflowInt(int64(whole)) {
		r.wrong(n, path, "a smaller number")
		return nil
	}
	return value
}
