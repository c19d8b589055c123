package tunnel

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// configuration is what cloudflared decodes its file into, with the same YAML package
// (github.com/cloudflare/cloudflared: config/configuration.go). Like there, a key that is set twice is an error.
type configuration struct {
	Tunnel   string
	Ingress  []cloudflaredRule
	Settings map[string]any `yaml:",inline"`
}

type cloudflaredRule struct {
	Hostname, Path, Service string
	Settings                map[string]any `yaml:",inline"`
}

// contents are the content of nodes: a hash of tag, value and children, with aliases resolved. Nodes with the same
// content mean the same. Comments, anchors and quotes are not content.
type contents map[*yaml.Node]string

// of returns the content of a node. It hashes each node once, however many aliases lead to it.
func (c contents) of(n *yaml.Node) string {
	n = resolved(n)
	if known, ok := c[n]; ok {
		return known
	}
	c[n] = "" // an anchor inside itself does not end; configuration does not decode it
	value := n.Value
	if n.ShortTag() == "!!null" { // which may be written as nothing, ~ or null
		value = ""
	}
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%d %q %q", n.Kind, n.ShortTag(), value)
	for _, child := range n.Content {
		_, _ = fmt.Fprintf(h, " %x", c.of(child))
	}
	c[n] = string(h.Sum(nil))
	return c[n]
}

// expected is what must be in a configuration after an edit.
type expected struct {
	rules []string // the content of each rule
	other string   // the content of everything but the rules
}

// expected returns what is in the configuration now.
func (in *ingress) expected() expected {
	var e expected
	for _, r := range in.rules {
		e.rules = append(e.rules, r.content)
	}
	var other strings.Builder
	contents := contents{}
	if in.root != nil {
		for i := 0; i+1 < len(in.root.Content); i += 2 {
			if in.list == nil || in.root.Content[i+1] != in.list {
				other.WriteString(contents.of(in.root.Content[i]) + contents.of(in.root.Content[i+1]))
			}
		}
	}
	e.other = other.String()
	return e
}

// with returns e after rule is added or updated in the configuration, which e describes.
func (e expected) with(in *ingress, rule Rule) expected {
	if i := in.find(rule.Host); i >= 0 {
		e.rules[i] = contents{}.of(withService(in.rules[i].node, rule.Service))
		return e
	}
	at := in.insertIndex(rule.Host)
	if at == len(e.rules) {
		e.rules = append(e.rules, contents{}.of(newRule(Rule{Service: catchAll})))
	}
	e.rules = slices.Insert(e.rules, at, contents{}.of(newRule(rule)))
	return e
}

// holds reports whether a text has this content, and whether cloudflared can read it.
func (e expected) holds(text string) bool {
	in, err := parseIngress(text)
	if err != nil {
		return false
	}
	got := in.expected()
	return slices.Equal(got.rules, e.rules) && got.other == e.other
}
