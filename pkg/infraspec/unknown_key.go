package infraspec

import (
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// unknownKey reports a key that norn does not know.
func (d *decoder) unknownKey(p pair, path string, names []string) {
	if !p.repeatable() {
		d.add(p.key, Error, RuleUnknownKey, "unknown key%s", in(path))
		return
	}
	d.show(p.key)
	d.add(p.key, Error, RuleUnknownKey, "unknown key %s%s%s",
		quoted(p.key.Value), in(path), instead(path, p.key.Value, names))
}

// showUnknown lets excerpts show the value of an unknown key like that of the known key that was probably meant. If
// none was, they show what cannot be a secret.
func (d *decoder) showUnknown(p pair, path string, v reflect.Value) {
	if !p.repeatable() || strings.HasPrefix(path, "secrets") {
		return
	}
	for _, f := range fieldsOf(v.Type()) {
		if isTypo(p.key.Value, f.name) {
			// Another decoder, because the findings about the value and its places do not count.
			other := decoder{merged: d.merged, document: &document{
				lines: d.lines, places: map[string]*yaml.Node{}, keys: map[string]*yaml.Node{}, masker: d.masker,
			}}
			other.value(p.value, join(path, f.name), reflect.New(v.Type().Field(f.index).Type).Elem())
			return
		}
	}
	d.showOrdinary(p.value, p.key.Value)
}

// showOrdinary lets excerpts show the keys in n and the values that cannot be secrets. Name is the key of n.
func (d *decoder) showOrdinary(n *yaml.Node, name string) {
	switch n.Kind {
	case yaml.ScalarNode:
		if isOrdinary(name, n.Value) {
			d.show(n)
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			d.showOrdinary(item, name)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if ordinaryKey.MatchString(key.Value) {
				d.show(key)
			}
			if secretName.MatchString(name) {
				d.showOrdinary(n.Content[i+1], name)
			} else {
				d.showOrdinary(n.Content[i+1], key.Value)
			}
		}
	case yaml.DocumentNode, yaml.AliasNode: // an alias refers to any value
	}
}
