package infraspec

import (
	"gopkg.in/yaml.v3"
)

// pair is a key of a mapping with its value.
type pair struct{ key, value *yaml.Node }

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
			d.add(key, Error, RuleDuplicateKey, "key %s%s is already set in line %d", quoted(key.Value), in(path), first)
		default:
			seen[key.Value] = key.Line
			out = append(out, pair{key, value})
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

// mergedPairs are the keys of what stands behind "<<": a mapping or a list of mappings, as a rule by alias.
func (d *decoder) mergedPairs(from *yaml.Node, path string, depth int) []pair {
	if from.Kind == yaml.AliasNode {
		from = from.Alias
	}
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
		d.add(from, Error, RuleWrongType, "<<%s must name a mapping, not %s", in(path), describe(from, path))
		return nil
	}
}
