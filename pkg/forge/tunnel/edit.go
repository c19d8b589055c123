package tunnel

import (
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
	want, list := in.expected().with(in, rule), in.nodesWith(rule)
	last := Rule{Service: catchAll}
	switch {
	case i >= 0:
		return in.verifyOrRewrite(want, in.replaceScalar(in.rules[i].target, rule.Service), list)
	case in.list == nil:
		lines := "ingress:" + in.newline() + in.ruleLines(rule, "  ") + in.ruleLines(last, "  ")
		return in.verifyOrRewrite(want, in.terminatedText()+lines, list)
	case len(in.rules) == 0 || in.list.Style&yaml.FlowStyle != 0:
		return in.verifyOrRewrite(want, in.text, list)
	}
	indent := strings.Repeat(" ", in.list.Column-1)
	if at := in.insertIndex(rule.Host); at < len(in.rules) {
		line := in.rules[at].first
		// Comments directly above the catch-all rule belong to it.
		for line > in.rules[0].first && strings.HasPrefix(strings.TrimSpace(in.lines[line-1]), "#") {
			line--
		}
		before, after := strings.Join(in.lines[:line], ""), strings.Join(in.lines[line:], "")
		return in.verifyOrRewrite(want, before+in.ruleLines(rule, indent)+after, list)
	}
	line := in.rules[len(in.rules)-1].last + 1
	before := strings.Join(in.lines[:line], "")
	if !strings.HasSuffix(before, "\n") {
		before += in.newline()
	}
	after := strings.Join(in.lines[line:], "")
	return in.verifyOrRewrite(want, before+in.ruleLines(rule, indent)+in.ruleLines(last, indent)+after, list)
}

// removeRule returns the text without the rule for host.
func (in *ingress) removeRule(host string) (string, error) {
	i := in.find(host)
	if i < 0 {
		return in.text, nil
	}
	want, list := in.expected(), slices.Delete(in.nodes(), i, i+1)
	want.rules = slices.Delete(want.rules, i, i+1)
	if in.list.Style&yaml.FlowStyle != 0 {
		return in.verifyOrRewrite(want, in.text, list)
	}
	r := in.rules[i]
	return in.verifyOrRewrite(want, strings.Join(in.lines[:r.first], "")+strings.Join(in.lines[r.last+1:], ""), list)
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
