package infraspec

import (
	"reflect"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"
)

// fingerprint matches the fingerprint of a cluster.
var fingerprint = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// lay returns the mapping of an infraspec with an environment laid over it. Its nodes are those of the file, so that
// findings have their places. An environment that is nil changes nothing.
func (d *decoder) lay(root, environment *yaml.Node) *yaml.Node {
	if environment == nil {
		environment = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: root.Line, Column: root.Column}
	}
	skip := slices.Clone(notInEnvironments)
	for _, f := range fieldsOf(reflect.TypeFor[Environment]()) {
		skip = append(skip, f.name)
	}
	own := slices.DeleteFunc(d.quietPairs(environment), func(p pair) bool { return slices.Contains(skip, p.key.Value) })
	base := slices.DeleteFunc(d.quietPairs(root), func(p pair) bool { return p.key.Value == "environments" })
	return d.merge(base, own, environment, reflect.TypeFor[Spec]())
}

// merge returns the mapping of base with over laid over it. Its place is that of over's mapping, at: if the result
// lacks a key, that is the cause. t is the type of the value.
func (d *decoder) merge(base, over []pair, at *yaml.Node, t reflect.Type) *yaml.Node {
	merged := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: at.Style, Line: at.Line, Column: at.Column}
	rest := slices.Clone(over)
	for _, b := range base {
		i := slices.IndexFunc(rest, func(o pair) bool { return o.key.Value == b.key.Value })
		if i < 0 {
			merged.Content = append(merged.Content, b.key, b.value)
			continue
		}
		o := rest[i]
		rest = slices.Delete(rest, i, i+1)
		switch value := resolved(o.value); {
		case isEmpty(value): // a key without a value counts as absent
			d.show(o.key)
			d.add(o.key, Warning, RuleEnvironment,
				"%s has no value here, so the one above holds; write null to remove it", o.key.Value)
			merged.Content = append(merged.Content, b.key, b.value)
		case value.Tag == "!!null":
			d.show(o.key)
			d.show(value)
		default:
			merged.Content = append(merged.Content, o.key, d.mergeValue(b.value, value, valueOf(t, o.key.Value)))
		}
	}
	for _, o := range rest {
		merged.Content = append(merged.Content, o.key, o.value)
	}
	return merged
}

// mergeValue returns over, merged with base if both are mappings. t is the type of the value, or nil for a key that
// norn does not know.
func (d *decoder) mergeValue(base, over *yaml.Node, t reflect.Type) *yaml.Node {
	base = resolved(base)
	if t == nil || base.Kind != yaml.MappingNode || over.Kind != yaml.MappingNode {
		return over
	}
	return d.merge(d.quietPairs(base), d.quietPairs(over), over, t)
}

// valueOf returns the type of a key's value in a mapping of type t if that can be a mapping, or nil. The types bound
// the depth, even if an alias refers to a mapping around it.
func valueOf(t reflect.Type, key string) reflect.Type {
	var value reflect.Type
	switch t.Kind() {
	case reflect.Map:
		value = t.Elem()
	case reflect.Struct:
		for _, f := range fieldsOf(t) {
			if f.name == key {
				value = t.Field(f.index).Type
			}
		}
	default:
	}
	if value == reflect.TypeFor[SecretNames]() { // a mapping of sources, unless it is a list
		return reflect.TypeFor[map[string]SecretSource]()
	}
	if value != nil && value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	if value == nil || value.Kind() != reflect.Struct && value.Kind() != reflect.Map {
		return nil
	}
	return value
}

// isEmpty reports whether a key has nothing behind it, not even null.
func isEmpty(n *yaml.Node) bool { return n.Tag == "!!null" && n.Value == "" }

// quietPairs is pairs without findings: the file's own decoding has reported them.
func (d *decoder) quietPairs(n *yaml.Node) []pair {
	quiet := decoder{document: d.document, merged: d.merged}
	return quiet.pairs(n, "", 0)
}
