package infraspec

import (
	"gopkg.in/yaml.v3"
)

// pair is a key of a mapping with its value.
type pair struct {
	key, value *yaml.Node
	// fragment says that the key may be the rest of a value that was not quoted: {A: b,c} has a key c with nothing behind it.
	fragment bool
}

// repeatable reports whether a message may repeat the key.
func (p pair) repeatable() bool { return !p.fragment && word.MatchString(p.key.Value) }

// The bounds of what "<<" may bring in: a file that needs more is one whose aliases multiply without end.
const (
	maxMergeDepth = 10
	maxMerged     = 1000
)

// pairs are a mapping's keys, each once, then those that "<<" merges in from other mappings and that it does not
// set itself (yaml.org/type/merge). A key that stands twice is reported.
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
			d.add(key, Error, RuleWrongType, "a key%s must be a single word", in(path))
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
		d.add(p.key, Error, RuleDuplicateKey, "this key%s is already set in line %d", in(path), first)
		return
	}
	d.show(p.key)
	d.add(p.key, Error, RuleDuplicateKey, "key %s%s is already set in line %d", quoted(p.key.Value), in(path), first)
}

// mergedPairs are the keys of what stands behind "<<": a mapping or a list of mappings, as a rule by alias.
func (d *decoder) mergedPairs(from *yaml.Node, path string, depth int) []pair {
	from = resolved(from)
	if d.merged++; depth > maxMergeDepth || d.merged > maxMerged {
		if d.merged <= maxMerged+1 {
			d.add(from, Error, RuleTooMany, "<< brings in too much here: mappings that merge each other without end")
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
		d.add(from, Error, RuleWrongType, "<<%s must name a mapping, and this is none", in(path))
		return nil
	}
}
