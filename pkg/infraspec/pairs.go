package infraspec

import (
	"gopkg.in/yaml.v3"
)

// pair is a key and its value in a mapping.
type pair struct {
	key, value *yaml.Node
	// fragment is true if the key may be the rest of an unquoted value: {A: b,c} has a key c without a value.
	fragment bool
}

// repeatable reports whether a message may quote the key.
func (p pair) repeatable() bool { return !p.fragment && word.MatchString(p.key.Value) }

// The limits for mappings merged by "<<". A file that exceeds them has aliases that multiply endlessly.
const (
	maxMergeDepth = 10
	maxMerged     = 1000
)

// pairs returns the keys that a mapping sets, then the other keys that "<<" merges from other mappings
// (yaml.org/type/merge). It reports duplicate keys.
func (d *decoder) pairs(n *yaml.Node, path string, depth int) []pair {
	var out []pair
	var merges []*yaml.Node
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch first, dup := seen[key.Value]; {
		case key.Tag == "!!merge":
			merges = append(merges, value)
		case key.Kind != yaml.ScalarNode:
			d.add(key, Error, RuleWrongType, "a key%s must be a single value", in(path))
		case dup:
			d.duplicate(pair{key, value, isFragment(n, value)}, path, first)
		default:
			seen[key.Value] = key.Line
			out = append(out, pair{key, value, isFragment(n, value)})
		}
	}
	for _, from := range merges {
		for _, p := range d.mergedPairs(from, path, depth+1) {
			if _, set := seen[p.key.Value]; !set {
				seen[p.key.Value] = p.key.Line
				out = append(out, p)
			}
		}
	}
	return out
}

func isFragment(mapping, value *yaml.Node) bool {
	return mapping.Style&yaml.FlowStyle != 0 && value.Tag == "!!null" && value.Value == ""
}

func (d *decoder) duplicate(p pair, path string, first int) {
	if !p.repeatable() {
		d.add(p.key, Error, RuleDuplicateKey, "this key%s is already set on line %d", in(path), first)
		return
	}
	d.show(p.key)
	d.add(p.key, Error, RuleDuplicateKey, "key %s%s is already set on line %d", quoted(p.key.Value), in(path), first)
}

// mergedPairs returns the keys of the value of "<<": a mapping or a list of mappings, usually aliases.
func (d *decoder) mergedPairs(from *yaml.Node, path string, depth int) []pair {
	from = resolved(from)
	if d.merged++; depth > maxMergeDepth || d.merged > maxMerged {
		if d.merged <= maxMerged+1 {
			d.add(from, Error, RuleTooMany, "<< merges too many mappings here; check for mappings that merge each other")
			d.merged = maxMerged + 1
		}
		return nil
	}
	switch from.Kind {
	case yaml.MappingNode:
		return d.pairs(from, path, depth)
	case yaml.SequenceNode:
		var out []pair
		for _, item := range from.Content {
			out = append(out, d.mergedPairs(item, path, depth)...)
		}
		return out
	default:
		d.add(from, Error, RuleWrongType, "<<%s must refer to a mapping", in(path))
		return nil
	}
}
