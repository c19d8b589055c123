package infraspec

import (
	"errors"
	"fmt"

	"gopkg.in/yaml.v3"
)

// maxTextNodes limits the text of an infraspec whose aliases multiply.
const maxTextNodes = 100_000

// Text returns the infraspec as YAML, without environments: with the chosen one laid over it, and without comments,
// anchors and aliases.
func (s *Spec) Text() ([]byte, error) {
	root := s.doc.places[""]
	if root == nil {
		return nil, errors.New("the infraspec is empty")
	}
	left := maxTextNodes
	text := plainCopy(root, &left)
	if left < 0 {
		return nil, errors.New("the infraspec has aliases that multiply")
	}
	for i := 0; i+1 < len(text.Content); i += 2 {
		if text.Content[i].Value == "environments" {
			text.Content = append(text.Content[:i:i], text.Content[i+2:]...)
			break
		}
	}
	out, err := yaml.Marshal(text)
	if err != nil {
		return nil, fmt.Errorf("write the infraspec: %w", err)
	}
	return out, nil
}

// plainCopy returns a copy of n with its aliases replaced. It stops when no nodes are left.
func plainCopy(n *yaml.Node, left *int) *yaml.Node {
	n = resolved(n)
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: n.Style}
	if *left--; *left < 0 {
		return out
	}
	for _, c := range n.Content {
		out.Content = append(out.Content, plainCopy(c, left))
	}
	return out
}
