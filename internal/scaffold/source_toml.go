package scaffold

import (
	"errors"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
	"gopkg.in/yaml.v3"
)

// parseTOML returns the tables of data as YAML nodes, which have line numbers and are the same for all formats.
func (s *sourceFile) parseTOML(data []byte) (*yaml.Node, error) {
	var checked map[string]any
	if err := toml.Unmarshal(data, &checked); err != nil { // also finds keys that are set twice
		if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, _ := bad.Position()
			return nil, s.errorf(line, "invalid TOML") // not its message, which can quote the file
		}
		return nil, s.errorf(0, "invalid TOML: a key is set twice, or is both a table and a value")
	}
	root := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: 1}
	table := root
	p := &unstable.Parser{}
	p.Reset(data)
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.KeyValue:
			setTOML(p, table, e)
		case unstable.Table, unstable.ArrayTable:
			table = tomlTable(p, root, e)
		default: // a comment
		}
	}
	if err := p.Error(); err != nil {
		return nil, s.errorf(0, "invalid TOML")
	}
	return root, nil
}

// tomlTable returns the table that the head of e opens, and creates it.
func tomlTable(p *unstable.Parser, n *yaml.Node, e *unstable.Node) *yaml.Node {
	for keys := e.Key(); keys.Next(); {
		key := keys.Node()
		if e.Kind == unstable.ArrayTable && keys.IsLast() {
			list := tomlChild(p, n, key, yaml.SequenceNode)
			n = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: tomlLine(p, key)}
			list.Content = append(list.Content, n)
			continue
		}
		n = tomlChild(p, n, key, yaml.MappingNode)
		if n.Kind == yaml.SequenceNode && len(n.Content) > 0 {
			n = n.Content[len(n.Content)-1]
		}
	}
	return n
}

// setTOML adds a key, which can have dots, and its value.
func setTOML(p *unstable.Parser, n *yaml.Node, e *unstable.Node) {
	for keys := e.Key(); keys.Next(); {
		if key := keys.Node(); keys.IsLast() {
			n.Content = append(n.Content, tomlKey(p, key), tomlValue(p, e.Value(), tomlLine(p, key)))
		} else {
			n = tomlChild(p, n, key, yaml.MappingNode)
		}
	}
}

// tomlChild returns the value of a key, and creates it.
func tomlChild(p *unstable.Parser, n *yaml.Node, key *unstable.Node, kind yaml.Kind) *yaml.Node {
	if child := get(n, string(key.Data)); child != nil {
		return child
	}
	child := &yaml.Node{Kind: kind, Line: tomlLine(p, key)}
	n.Content = append(n.Content, tomlKey(p, key), child)
	return child
}

func tomlKey(p *unstable.Parser, key *unstable.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: string(key.Data), Line: tomlLine(p, key)}
}

func tomlLine(p *unstable.Parser, n *unstable.Node) int { return p.Shape(n.Raw).Start.Line }

func tomlValue(p *unstable.Parser, v *unstable.Node, line int) *yaml.Node {
	switch v.Kind {
	case unstable.Array:
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: line}
		for all := v.Children(); all.Next(); {
			list.Content = append(list.Content, tomlValue(p, all.Node(), line))
		}
		return list
	case unstable.InlineTable:
		table := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: line}
		for all := v.Children(); all.Next(); {
			setTOML(p, table, all.Node())
		}
		return table
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: string(v.Data), Line: line}
}
