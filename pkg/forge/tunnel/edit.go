package tunnel

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// insertRule is the text with rule in it. All other lines stay as they are, byte for byte, where the list is written in block style.
func (in *ingress) insertRule(rule Rule) (string, error) {
	i := in.find(rule.Host)
	want := in.rulesWith(rule)
	switch {
	case i >= 0:
		return in.checked(want, in.replaced(in.rules[i].target, rule.Service))
	case in.list == nil || in.list.Tag == "!!null":
		if in.list != nil {
			return in.rewritten(want)
		}
		return in.checked(want, in.endedText()+"ingress:"+in.newline()+in.ruleLines(rule, "  ")+in.ruleLines(Rule{Service: catchAll}, "  "))
	case len(in.rules) == 0 || in.list.Style&yaml.FlowStyle != 0:
		return in.rewritten(want)
	}
	indent := strings.Repeat(" ", in.list.Column-1)
	if at := in.end(); at < len(in.rules) {
		line := in.rules[at].first
		for line > in.rules[0].first && strings.HasPrefix(strings.TrimSpace(in.lines[line-1]), "#") { // the catch-all's own comment
			line--
		}
		return in.checked(want, strings.Join(in.lines[:line], "")+in.ruleLines(rule, indent)+strings.Join(in.lines[line:], ""))
	}
	line := in.rules[len(in.rules)-1].last + 1
	before := strings.Join(in.lines[:line], "")
	if !strings.HasSuffix(before, "\n") {
		before += in.newline()
	}
	return in.checked(want, before+in.ruleLines(rule, indent)+in.ruleLines(Rule{Service: catchAll}, indent)+strings.Join(in.lines[line:], ""))
}

// removeRule is the text without the rule for host.
func (in *ingress) removeRule(host string) (string, error) {
	i := in.find(host)
	if i < 0 {
		return in.text, nil
	}
	want := slices.Delete(in.expectedRules(), i, i+1)
	if in.list.Style&yaml.FlowStyle != 0 {
		return in.rewritten(want)
	}
	r := in.rules[i]
	return in.checked(want, strings.Join(in.lines[:r.first], "")+strings.Join(in.lines[r.last+1:], ""))
}

// expectedRules are the rules as they must be read back.
func (in *ingress) expectedRules() []ingressRule {
	out := make([]ingressRule, len(in.rules))
	for i, r := range in.rules {
		out[i] = ingressRule{host: r.host, path: r.path, service: r.service, body: r.body}
	}
	return out
}

// expectedRule is a rule of norn's as it must be read back.
func expectedRule(r Rule) ingressRule {
	said := map[string]any{"service": r.Service}
	if r.Host != "" {
		said["hostname"] = r.Host
	}
	return ingressRule{host: r.Host, service: r.Service, body: fmt.Sprint(said)}
}

// rulesWith are the rules with rule among them.
func (in *ingress) rulesWith(rule Rule) []ingressRule {
	out := in.expectedRules()
	if i := in.find(rule.Host); i >= 0 {
		out[i].service = rule.Service
		out[i].body = bodyWith(in.rules[i].node, rule.Service)
		return out
	}
	at := in.end()
	if at == len(out) {
		out = append(out, expectedRule(Rule{Service: catchAll}))
	}
	return slices.Insert(out, at, expectedRule(rule))
}

// bodyWith is what a rule says with another service.
func bodyWith(n *yaml.Node, service string) string {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	said := map[string]any{}
	if n.Decode(&said) != nil {
		return ""
	}
	said["service"] = service
	return fmt.Sprint(said)
}

// otherSettings is what the configuration says besides its rules.
func (in *ingress) otherSettings() string {
	said := map[string]any{}
	if in.root != nil && in.root.Decode(&said) != nil {
		return ""
	}
	delete(said, "ingress")
	return fmt.Sprint(said)
}

// checked reads an edited text back: where it does not say what it should (an alias, a tag, an odd layout), the configuration is written anew instead,
// which keeps comments and order, and not every space.
func (in *ingress) checked(want []ingressRule, text string) (string, error) {
	again, err := parseIngress(text)
	if err == nil && slices.Equal(again.expectedRules(), want) && again.otherSettings() == in.otherSettings() {
		return text, nil
	}
	return in.rewritten(want)
}

// rewritten writes the configuration anew with these rules.
func (in *ingress) rewritten(want []ingressRule) (string, error) {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	left := slices.Clone(in.rules)
	for _, w := range want {
		i := slices.IndexFunc(left, func(r ingressRule) bool {
			return r.host == w.host && r.path == w.path && (r.host != "" || r.service == w.service)
		})
		var node yaml.Node
		switch {
		case i >= 0:
			node = *left[i].node
			if left[i].service != w.service {
				left[i].target.Value, left[i].target.Style = w.service, 0
			}
			left = slices.Delete(left, i, i+1)
		default:
			rule := map[string]string{"service": w.service}
			if w.host != "" {
				rule["hostname"] = w.host
			}
			if err := node.Encode(rule); err != nil {
				return "", fmt.Errorf("write the tunnel's configuration: %w", err)
			}
		}
		list.Content = append(list.Content, &node)
	}
	root := in.root
	if in.list == nil || root == nil {
		return "", fmt.Errorf("write the tunnel's configuration: its layout is not one that norn can edit")
	}
	list.HeadComment, list.FootComment, list.LineComment = in.list.HeadComment, in.list.FootComment, in.list.LineComment
	*in.list = *list
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return "", fmt.Errorf("write the tunnel's configuration: %w", err)
	}
	return out.String(), nil
}

// replaced is the text with a scalar's value replaced where it stands.
func (in *ingress) replaced(n *yaml.Node, value string) string {
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
		old = string(line[at]) + old + string(line[at])
	}
	if !strings.HasPrefix(line[min(at, len(line)):], old) {
		return in.text // not as simple as that; checked writes it anew
	}
	lines := slices.Clone(in.lines)
	lines[n.Line-1] = line[:at] + value + line[at+len(old):]
	return strings.Join(lines, "")
}

// ruleLines is a rule as lines of the list.
func (in *ingress) ruleLines(r Rule, indent string) string {
	if r.Host == "" {
		return indent + "- service: " + r.Service + in.newline()
	}
	return indent + "- hostname: " + hostScalar(r.Host) + in.newline() + indent + "  service: " + r.Service + in.newline()
}

// hostScalar quotes a wildcard, which would be an alias in YAML.
func hostScalar(host string) string {
	if strings.HasPrefix(host, "*") {
		return `"` + host + `"`
	}
	return host
}

// newline is how the text ends its lines.
func (in *ingress) newline() string {
	if strings.Contains(in.text, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// endedText is the text, its last line ended.
func (in *ingress) endedText() string {
	if in.text == "" || strings.HasSuffix(in.text, "\n") {
		return in.text
	}
	return in.text + in.newline()
}
