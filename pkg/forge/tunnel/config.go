package tunnel

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"gopkg.in/yaml.v3"
)

// Rule is an ingress rule in a tunnel's configuration (developers.cloudflare.com: Tunnel configuration file, ingress).
type Rule struct{ Host, Service string }

// catchAll is the service of the rule that cloudflared requires at the end, for requests that no other rule matches.
const catchAll = "http_status:404"

// ingress is the text of a tunnel's configuration with the positions of its rules.
type ingress struct {
	text  string
	lines []string // including line ends
	root  *yaml.Node
	list  *yaml.Node // the sequence of rules, or nil
	rules []ingressRule
}

type ingressRule struct {
	host, path, service string
	body                string     // all fields, for comparison
	node, target        *yaml.Node // the rule, and the value of its service
	first, last         int        // line numbers, from 0
}

// matchesAll reports whether a rule matches every request.
func (r ingressRule) matchesAll() bool { return (r.host == "" || r.host == "*") && r.path == "" }

// serves reports whether a rule is for host alone, which is in lower case. cloudflared compares a rule's host as
// written and in its IDNA form, which is in lower case too (github.com/cloudflare/cloudflared/ingress/rule.go).
func (r ingressRule) serves(host string) bool {
	if r.path != "" {
		return false
	}
	ascii, err := idna.Lookup.ToASCII(r.host)
	return r.host == host || err == nil && ascii == host
}

// shadows reports whether a rule's wildcard matches host.
func (r ingressRule) shadows(host string) bool {
	suffix, wildcard := strings.CutPrefix(r.host, "*")
	return r.path == "" && wildcard && r.host != host && strings.HasPrefix(suffix, ".") && strings.HasSuffix(host, suffix)
}

// ConfigError reports a configuration that norn cannot read or edit. Nothing has been written.
type ConfigError struct{ Problem string }

// Error returns the problem.
func (e *ConfigError) Error() string { return "edit the tunnel's configuration: " + e.Problem }

// Hint returns where to fix it.
func (e *ConfigError) Hint() string {
	return fmt.Sprintf("fix %s with kubectl edit configmap %s --namespace %s", ConfigKey, ConfigMap, Namespace)
}

// parseIngress parses a configuration. An empty text is a configuration without rules.
func parseIngress(text string) (*ingress, error) {
	in := &ingress{text: text, lines: splitLines(text)}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, &ConfigError{err.Error()}
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return in, nil
	}
	in.root = doc.Content[0]
	if in.root.Kind != yaml.MappingNode {
		return nil, &ConfigError{"it is not a mapping"}
	}
	for i := 0; i+1 < len(in.root.Content); i += 2 {
		if in.root.Content[i].Value == "ingress" {
			in.list = in.root.Content[i+1]
		}
	}
	if in.list == nil || in.list.Tag == "!!null" {
		return in, nil
	}
	switch in.list.Kind {
	case yaml.SequenceNode:
	case yaml.AliasNode: // an edit would change what else uses the list
		return nil, &ConfigError{fmt.Sprintf(
			"line %d: ingress is the alias *%s; write the rules there instead", in.list.Line, in.list.Value,
		)}
	default:
		return nil, &ConfigError{fmt.Sprintf("line %d: ingress is not a list", in.list.Line)}
	}
	for _, node := range in.list.Content {
		in.rules = append(in.rules, in.parseRule(node))
	}
	return in, nil
}

// lineBreak matches the line ends that yaml.v3 counts (YAML 1.1, 4.2).
var lineBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// splitLines splits a text after each line end.
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

func (in *ingress) parseRule(node *yaml.Node) ingressRule {
	r := ingressRule{node: node}
	fields := node
	if node.Kind == yaml.AliasNode {
		fields = node.Alias
	}
	r.body = bodyOf(fields)
	r.set(fields)
	for r.first = node.Line - 1; r.first > in.list.Line-1 && !in.startsItem(r.first); {
		r.first--
	}
	r.last = r.first
	// The rule includes all lines with a deeper indent than its dash, and blank lines between them.
	for line := r.first + 1; line < len(in.lines); line++ {
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

// set reads the fields of a rule's mapping. A field of the mapping has precedence over a merged one
// (yaml.org/type/merge).
func (r *ingressRule) set(fields *yaml.Node) {
	if fields.Kind == yaml.AliasNode {
		fields = fields.Alias
	}
	if fields.Kind == yaml.SequenceNode { // of merged mappings; the first one has precedence
		for _, merged := range slices.Backward(fields.Content) {
			r.set(merged)
		}
	}
	if fields.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(fields.Content); i += 2 {
		if fields.Content[i].Tag == "!!merge" {
			r.set(fields.Content[i+1])
		}
	}
	for i := 0; i+1 < len(fields.Content); i += 2 {
		value := fields.Content[i+1]
		text := value.Value
		if value.Kind == yaml.AliasNode {
			text = value.Alias.Value
		}
		switch fields.Content[i].Value {
		case "hostname":
			r.host = text
		case "path":
			r.path = text
		case "service":
			r.service, r.target = text, value
		}
	}
}

// bodyOf returns all fields of a rule in a comparable form.
func bodyOf(n *yaml.Node) string {
	var fields any
	if n.Decode(&fields) != nil {
		return ""
	}
	return fmt.Sprint(fields) // fmt sorts map keys
}

// startsItem reports whether an item of the list starts in a line.
func (in *ingress) startsItem(line int) bool {
	at := in.list.Column - 1
	if line >= len(in.lines) { // an empty last value may be positioned after the text
		return false
	}
	return at < len(in.lines[line]) && in.lines[line][at] == '-' && strings.TrimSpace(in.lines[line][:at]) == ""
}

// find returns the index of the rule for host, or -1. It ignores rules with a path.
func (in *ingress) find(host string) int {
	return slices.IndexFunc(in.rules, func(r ingressRule) bool { return r.serves(host) })
}

// insertIndex returns the index for a new rule for host: before the first wildcard that matches host and before the
// catch-all rule, since cloudflared uses the first rule that matches. Without either, it is the end.
func (in *ingress) insertIndex(host string) int {
	first := func(r ingressRule) bool { return r.matchesAll() || r.shadows(host) }
	if i := slices.IndexFunc(in.rules, first); i >= 0 {
		return i
	}
	return len(in.rules)
}

// shadow returns the host pattern of a rule before index i that also matches host, or "". It is "everything" for a
// catch-all rule.
func (in *ingress) shadow(host string, i int) string {
	for _, r := range in.rules[:i] {
		switch {
		case r.matchesAll():
			return "everything"
		case r.shadows(host):
			return r.host
		}
	}
	return ""
}
