package tunnel

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Rule is one rule of a tunnel's configuration (developers.cloudflare.com: Tunnel configuration file, ingress).
type Rule struct{ Host, Service string }

// catchAll is what a tunnel answers where no rule matches; it must be the last one.
const catchAll = "http_status:404"

// ingress is the text of a tunnel's configuration with the places of its rules.
type ingress struct {
	text  string
	lines []string // with their ends
	root  *yaml.Node
	list  *yaml.Node // the sequence of rules, or nil
	rules []ingressRule
}

type ingressRule struct {
	host, path, service string
	body                string     // all that it says
	node, target        *yaml.Node // the rule, and the value of its service
	first, last         int        // its lines, from 0
}

// all reports whether a rule matches everything.
func (r ingressRule) all() bool { return (r.host == "" || r.host == "*") && r.path == "" }

// shadows reports whether a rule takes what is meant for host.
func (r ingressRule) shadows(host string) bool {
	suffix, wildcard := strings.CutPrefix(r.host, "*")
	return r.path == "" && wildcard && strings.HasSuffix(host, suffix)
}

// parseIngress reads a configuration; a text with nothing in it is one without rules.
func parseIngress(text string) (*ingress, error) {
	in := &ingress{text: text, lines: splitLines(text)}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("read the tunnel's configuration: %w", err)
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return in, nil
	}
	in.root = doc.Content[0]
	if in.root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("read the tunnel's configuration: it is no mapping")
	}
	for i := 0; i+1 < len(in.root.Content); i += 2 {
		if in.root.Content[i].Value == "ingress" {
			in.list = in.root.Content[i+1]
		}
	}
	if in.list == nil || in.list.Tag == "!!null" {
		return in, nil
	}
	if in.list.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("read the tunnel's configuration: ingress is no list (line %d)", in.list.Line)
	}
	for _, node := range in.list.Content {
		in.rules = append(in.rules, in.rule(node))
	}
	return in, nil
}

// lineBreak is what yaml.v3 counts as the end of a line (YAML 1.1, 4.2).
var lineBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// splitLines cuts a text into its lines with their ends.
func splitLines(text string) []string {
	var lines []string
	for _, at := range append(lineBreak.FindAllStringIndex(text, -1), []int{0, len(text)}) {
		lines = append(lines, text[:at[1]])
	}
	for i := len(lines) - 1; i > 0; i-- {
		lines[i] = lines[i][len(lines[i-1]):]
	}
	return lines
}

func (in *ingress) rule(node *yaml.Node) ingressRule {
	r := ingressRule{node: node}
	said := node
	if node.Kind == yaml.AliasNode {
		said = node.Alias
	}
	r.body = bodyOf(said)
	for i := 0; i+1 < len(said.Content); i += 2 {
		switch value := said.Content[i+1]; said.Content[i].Value {
		case "hostname":
			r.host = value.Value
		case "path":
			r.path = value.Value
		case "service":
			r.service, r.target = value.Value, value
		}
	}
	for r.first = node.Line - 1; r.first > in.list.Line-1 && !in.dashed(r.first); {
		r.first--
	}
	r.last = r.first
	for line := r.first + 1; line < len(in.lines); line++ { // what is indented deeper than the dash, and what is empty in between
		text := strings.TrimLeft(in.lines[line], " ")
		switch indent := len(in.lines[line]) - len(text); {
		case strings.TrimSpace(text) == "":
		case indent >= in.list.Column:
			r.last = line
		default:
			return r
		}
	}
	return r
}

// bodyOf is all that a rule says, for comparing.
func bodyOf(n *yaml.Node) string {
	var said any
	if n.Decode(&said) != nil {
		return ""
	}
	return fmt.Sprint(said) // maps are printed in the order of their keys
}

// dashed reports whether an item of the list begins in a line.
func (in *ingress) dashed(line int) bool {
	at := in.list.Column - 1
	if line >= len(in.lines) { // the end of an empty last value
		return false
	}
	return at < len(in.lines[line]) && in.lines[line][at] == '-' && strings.TrimSpace(in.lines[line][:at]) == ""
}

// find is the rule for a whole host, or -1. One with a path is another matter.
func (in *ingress) find(host string) int {
	return slices.IndexFunc(in.rules, func(r ingressRule) bool { return r.host == host && r.path == "" })
}

// end is where a new rule goes: before the catch-all, or after all where there is none.
func (in *ingress) end() int {
	if i := slices.IndexFunc(in.rules, ingressRule.all); i >= 0 {
		return i
	}
	return len(in.rules)
}

// shadow is the rule ahead of place i that takes what is meant for host, or "".
func (in *ingress) shadow(host string, i int) string {
	for _, r := range in.rules[:i] {
		switch {
		case r.all():
			return "everything"
		case r.host != host && r.shadows(host):
			return r.host
		}
	}
	return ""
}
