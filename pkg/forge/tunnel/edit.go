package tunnel

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// insertRule returns the text with rule added or updated. It keeps all other lines byte for byte if the list is in
// block style, and the whole text if the rule is there.
func (in *ingress) insertRule(rule Rule) (string, error) {
	i := in.find(rule.Host)
	if i >= 0 && in.rules[i].service == rule.Service {
		return in.text, nil
	}
	want := in.rulesWith(rule)
	last := Rule{Service: catchAll}
	switch {
	case i >= 0:
		return in.verifyOrRewrite(want, in.replaceScalar(in.rules[i].target, rule.Service))
	case in.list == nil:
		list := "ingress:" + in.newline() + in.ruleLines(rule, "  ") + in.ruleLines(last, "  ")
		return in.verifyOrRewrite(want, in.terminatedText()+list)
	case len(in.rules) == 0 || in.list.Style&yaml.FlowStyle != 0:
		return in.rewrite(want)
	}
	indent := strings.Repeat(" ", in.list.Column-1)
	if at := in.insertIndex(rule.Host); at < len(in.rules) {
		line := in.rules[at].first
		// Comments directly above the catch-all rule belong to it.
		for line > in.rules[0].first && strings.HasPrefix(strings.TrimSpace(in.lines[line-1]), "#") {
			line--
		}
		before, after := strings.Join(in.lines[:line], ""), strings.Join(in.lines[line:], "")
		return in.verifyOrRewrite(want, before+in.ruleLines(rule, indent)+after)
	}
	line := in.rules[len(in.rules)-1].last + 1
	before := strings.Join(in.lines[:line], "")
	if !strings.HasSuffix(before, "\n") {
		before += in.newline()
	}
	after := strings.Join(in.lines[line:], "")
	return in.verifyOrRewrite(want, before+in.ruleLines(rule, indent)+in.ruleLines(last, indent)+after)
}

// removeRule returns the text without the rule for host.
func (in *ingress) removeRule(host string) (string, error) {
	i := in.find(host)
	if i < 0 {
		return in.text, nil
	}
	want := slices.Delete(in.expectedRules(), i, i+1)
	if in.list.Style&yaml.FlowStyle != 0 {
		return in.rewrite(want)
	}
	r := in.rules[i]
	return in.verifyOrRewrite(want, strings.Join(in.lines[:r.first], "")+strings.Join(in.lines[r.last+1:], ""))
}

// expectedRules returns the rules without positions, for comparison with a parsed edit.
func (in *ingress) expectedRules() []ingressRule {
	out := make([]ingressRule, len(in.rules))
	for i, r := range in.rules {
		out[i] = ingressRule{host: r.host, path: r.path, service: r.service, body: r.body}
	}
	return out
}

// expectedRule returns one of norn's rules without a position.
func expectedRule(r Rule) ingressRule {
	fields := map[string]any{"service": r.Service}
	if r.Host != "" {
		fields["hostname"] = r.Host
	}
	return ingressRule{host: r.Host, service: r.Service, body: fmt.Sprint(fields)}
}

// rulesWith returns the expected rules after rule is added or updated.
func (in *ingress) rulesWith(rule Rule) []ingressRule {
	out := in.expectedRules()
	if i := in.find(rule.Host); i >= 0 {
		out[i].service = rule.Service
		out[i].body = bodyWith(in.rules[i].node, rule.Service)
		return out
	}
	at := in.insertIndex(rule.Host)
	if at == len(out) {
		out = append(out, expectedRule(Rule{Service: catchAll}))
	}
	return slices.Insert(out, at, expectedRule(rule))
}

// bodyWith returns a rule's body with its service replaced.
func bodyWith(n *yaml.Node, service string) string {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	fields := map[string]any{}
	if n.Decode(&fields) != nil {
		return ""
	}
	fields["service"] = service
	return fmt.Sprint(fields)
}

// otherSettings returns everything in the configuration but its rules, in a comparable form.
func (in *ingress) otherSettings() string {
	fields := map[string]any{}
	if in.root != nil && in.root.Decode(&fields) != nil {
		return ""
	}
	delete(fields, "ingress")
	return fmt.Sprint(fields)
}

// verifyOrRewrite parses an edited text. If its rules are not equal to want (because of an alias, a tag or an unusual
// layout), verifyOrRewrite encodes the whole configuration instead. That keeps comments and order, but not all
// whitespace.
func (in *ingress) verifyOrRewrite(want []ingressRule, text string) (string, error) {
	again, err := parseIngress(text)
	if err == nil && slices.Equal(again.expectedRules(), want) && again.otherSettings() == in.otherSettings() {
		return text, nil
	}
	return in.rewrite(want)
}

// rewrite encodes the configuration with these rules. It returns a *ConfigError if that would change anything else,
// because the rules share parts with each other or with other settings.
func (in *ingress) rewrite(want []ingressRule) (string, error) {
	root := in.root
	if in.list == nil || root == nil {
		return "", &ConfigError{"its layout is not supported"}
	}
	other := in.otherSettings()
	content, err := in.nodesOf(want)
	if err != nil {
		return "", err
	}
	if len(in.list.Content) == 0 { // "[]" says nothing about the layout
		in.list.Style = 0
	}
	in.list.Kind, in.list.Content = yaml.SequenceNode, content
	if in.list.Tag == "!!null" {
		in.list.Tag, in.list.Value = "!!seq", ""
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return "", fmt.Errorf("write the tunnel's configuration: %w", err)
	}
	again, err := parseIngress(out.String())
	if err != nil || !slices.Equal(again.expectedRules(), want) || again.otherSettings() != other {
		return "", &ConfigError{"the rules share parts by YAML aliases; write them out"}
	}
	return out.String(), nil
}

// nodesOf returns the YAML of these rules: the existing nodes, with a new service where it differs, and new ones.
func (in *ingress) nodesOf(want []ingressRule) ([]*yaml.Node, error) {
	var content []*yaml.Node
	unused := slices.Clone(in.rules)
	for _, w := range want {
		i := slices.IndexFunc(unused, func(r ingressRule) bool {
			return r.host == w.host && r.path == w.path && (r.host != "" || r.service == w.service)
		})
		var node yaml.Node
		if i >= 0 {
			node = *unused[i].node
			if unused[i].service != w.service && unused[i].target != nil {
				*unused[i].target = yaml.Node{Kind: yaml.ScalarNode, Value: w.service}
			}
			unused = slices.Delete(unused, i, i+1)
		} else {
			rule := map[string]string{"service": w.service}
			if w.host != "" {
				rule["hostname"] = w.host
			}
			if err := node.Encode(rule); err != nil {
				return nil, fmt.Errorf("write the tunnel's configuration: %w", err)
			}
		}
		content = append(content, &node)
	}
	return content, nil
}

// replaceScalar returns the text with a scalar's value replaced in place, or the unchanged text if that is not
// possible.
func (in *ingress) replaceScalar(n *yaml.Node, value string) string {
	if n == nil {
		return in.text
	}
	if n.Line > len(in.lines) {
		return in.text
	}
	line := in.lines[n.Line-1]
	at := n.Column - 1
	old := n.Value
	if n.Style == yaml.DoubleQuotedStyle || n.Style == yaml.SingleQuotedStyle {
		quote := line[at : at+1]
		old, value = quote+old+quote, quote+value+quote
	}
	if !strings.HasPrefix(line[min(at, len(line)):], old) {
		return in.text // verifyOrRewrite then rewrites the configuration
	}
	lines := slices.Clone(in.lines)
	lines[n.Line-1] = line[:at] + value + line[at+len(old):]
	return strings.Join(lines, "")
}

// ruleLines returns a rule in block style.
func (in *ingress) ruleLines(r Rule, indent string) string {
	if r.Host == "" {
		return indent + "- service: " + r.Service + in.newline()
	}
	return indent + "- hostname: " + hostScalar(r.Host) + in.newline() + indent + "  service: " + r.Service + in.newline()
}

// hostScalar quotes a wildcard, because YAML reads a leading * as an alias.
func hostScalar(host string) string {
	if strings.HasPrefix(host, "*") {
		return `"` + host + `"`
	}
	return host
}

// newline returns the text's line end.
func (in *ingress) newline() string {
	if strings.Contains(in.text, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// terminatedText returns the text with a line end at its end, unless it is empty.
func (in *ingress) terminatedText() string {
	if in.text == "" || strings.HasSuffix(in.text, "\n") {
		return in.text
	}
	return in.text + in.newline()
}
