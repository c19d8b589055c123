package tunnel

import (
	"errors"
	"fmt"
	"io"
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
	doc   *yaml.Node
	root  *yaml.Node
	list  *yaml.Node // the sequence of rules, or nil
	rules []ingressRule
	more  bool // another YAML document follows, which cloudflared does not read
}

type ingressRule struct {
	host, path, service string     // as cloudflared reads them
	content             string     // see content
	node, target        *yaml.Node // the rule, and the value of its own service key or nil
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

// parseIngress parses a configuration. An empty text is a configuration without rules. A configuration that cloudflared
// itself cannot read is a *ConfigError.
func parseIngress(text string) (*ingress, error) {
	in := &ingress{text: text, lines: splitLines(text), doc: &yaml.Node{}}
	dec := yaml.NewDecoder(strings.NewReader(text))
	if err := dec.Decode(in.doc); errors.Is(err, io.EOF) {
		return in, nil
	} else if err != nil {
		return nil, &ConfigError{err.Error()}
	}
	in.more = !errors.Is(dec.Decode(&yaml.Node{}), io.EOF)
	if in.doc.Content[0].Tag == "!!null" {
		return in, nil
	}
	in.root = in.doc.Content[0]
	if in.root.Kind != yaml.MappingNode {
		return nil, &ConfigError{"it is not a mapping"}
	}
	if err := checkKeys(in.root); err != nil {
		return nil, err
	}
	var read configuration
	if err := in.root.Decode(&read); err != nil {
		return nil, &ConfigError{"cloudflared cannot read it: " + oneLine(err)}
	}
	if at := keyIndex(in.root, "ingress"); at >= 0 {
		in.list = in.root.Content[at+1]
	}
	if err := in.checkList(len(read.Ingress)); err != nil {
		return nil, err
	}
	contents := contents{}
	for i, rule := range read.Ingress {
		in.rules = append(in.rules, in.parseRule(in.list.Content[i], rule, contents))
	}
	return in, nil
}

// checkKeys returns an error if a key below a node is a mapping or a list. cloudflared has no such keys, and yaml.v3
// can panic on them.
func checkKeys(n *yaml.Node) error {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && resolved(child).Kind != yaml.ScalarNode {
			return &ConfigError{fmt.Sprintf("line %d: a key is a mapping or a list, and cloudflared cannot read it", child.Line)}
		}
		if err := checkKeys(child); err != nil {
			return err
		}
	}
	return nil
}

// checkList returns an error unless the list holds each of the rules that cloudflared reads.
func (in *ingress) checkList(rules int) error {
	switch {
	case in.list != nil && in.list.Kind == yaml.AliasNode: // an edit would change what else uses the list
		return &ConfigError{fmt.Sprintf(
			"line %d: ingress is the alias *%s; write the rules there instead", in.list.Line, in.list.Value,
		)}
	case rules > 0 && in.list == nil:
		return &ConfigError{"the rules come from a merged mapping; write them under ingress instead"}
	case in.list == nil:
		return nil
	}
	for _, node := range in.list.Content {
		if resolved(node).ShortTag() == "!!null" { // cloudflared skips it
			return &ConfigError{fmt.Sprintf("line %d: a rule under ingress is empty; remove it", node.Line)}
		}
	}
	return nil
}

// oneLine joins the lines of an error of package yaml.
func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: unmarshal errors:")), " ")
}

// keyIndex returns the index of a key in the content of a mapping, or -1. It ignores merged mappings.
func keyIndex(mapping *yaml.Node, key string) int {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if k := mapping.Content[i]; k.Kind == yaml.ScalarNode && k.Value == key {
			return i
		}
	}
	return -1
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

// parseRule returns the rule of a node, which cloudflared reads as read.
func (in *ingress) parseRule(node *yaml.Node, read cloudflaredRule, contents contents) ingressRule {
	fields := resolved(node)
	r := ingressRule{host: read.Hostname, path: read.Path, service: read.Service, node: node, content: contents.of(fields)}
	if at := keyIndex(fields, "service"); at >= 0 {
		r.target = fields.Content[at+1]
	}
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

// resolved returns the node that an alias stands for, or the node itself.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
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
