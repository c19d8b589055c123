package tunnel

import (
	"bytes"
	"slices"

	"gopkg.in/yaml.v3"
)

// verifyOrRewrite returns an edited text if it has the content want. Otherwise (because of an alias, a tag or an
// unusual layout), it encodes the whole configuration with the nodes list as its rules. That keeps comments and order,
// but not all whitespace. It returns a *ConfigError if that would change anything else.
func (in *ingress) verifyOrRewrite(want expected, text string, list []*yaml.Node) (string, error) {
	if want.holds(text) {
		return text, nil
	}
	if in.root == nil || in.list == nil || in.more {
		return "", &ConfigError{"norn cannot edit this layout; write a single YAML document in block style"}
	}
	comments := in.comments(list)
	text, err := in.rewrite(list)
	if err != nil {
		return "", &ConfigError{err.Error()}
	}
	switch {
	case !want.holds(text):
		return "", &ConfigError{"norn cannot change its rule alone; write the rules in block style, without YAML aliases"}
	case !hasComments(text, comments):
		return "", &ConfigError{"norn cannot edit this layout and keep its comments; write the rules in block style"}
	}
	return text, nil
}

// rewrite encodes the configuration with these rules.
func (in *ingress) rewrite(list []*yaml.Node) (string, error) {
	rules := *in.list
	rules.Kind, rules.Tag, rules.Value, rules.Content = yaml.SequenceNode, in.list.Tag, "", list
	if in.list.Kind != yaml.SequenceNode {
		rules.Tag = "!!seq"
	}
	if len(in.list.Content) == 0 { // "[]" says nothing about the layout
		rules.Style &^= yaml.FlowStyle
	}
	root := *in.root
	root.Content = slices.Clone(in.root.Content)
	root.Content[slices.Index(root.Content, in.list)] = &rules
	doc := *in.doc
	doc.Content = []*yaml.Node{&root}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(explicitNulls(&doc)); err != nil {
		return "", err
	}
	return out.String(), nil
}

// explicitNulls returns a copy of a node with null in place of empty values, which the encoder would quote in a flow
// list. It leaves the aliases as they are.
func explicitNulls(n *yaml.Node) *yaml.Node {
	c := *n
	if c.Kind == yaml.ScalarNode && c.Tag == "!!null" && c.Value == "" {
		c.Value = "null"
	}
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = explicitNulls(child)
	}
	return &c
}

// nodes returns the rules.
func (in *ingress) nodes() []*yaml.Node {
	var list []*yaml.Node
	for _, r := range in.rules {
		list = append(list, r.node)
	}
	return list
}

// nodesWith returns the rules after rule is added or updated.
func (in *ingress) nodesWith(rule Rule) []*yaml.Node {
	list := in.nodes()
	if i := in.find(rule.Host); i >= 0 {
		list[i] = withService(in.rules[i].node, rule.Service)
		return list
	}
	at := in.insertIndex(rule.Host)
	if at == len(list) {
		list = append(list, newRule(Rule{Service: catchAll}))
	}
	return slices.Insert(list, at, newRule(rule))
}

// newRule returns the node of a rule.
func newRule(rule Rule) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if rule.Host != "" {
		n.Content = append(n.Content, scalar("hostname"), scalar(rule.Host))
	}
	n.Content = append(n.Content, scalar("service"), scalar(rule.Service))
	return n
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// withService returns a copy of a rule that leads to service. In place of an alias, it is a copy of the rule that the
// alias stands for.
func withService(rule *yaml.Node, service string) *yaml.Node {
	n := *resolved(rule)
	n.Content = slices.Clone(n.Content)
	if rule.Kind == yaml.AliasNode {
		n.Anchor, n.HeadComment, n.LineComment, n.FootComment = "", rule.HeadComment, rule.LineComment, rule.FootComment
	}
	value := scalar(service)
	at := keyIndex(&n, "service")
	if at < 0 { // it is merged, and the rule's own service has precedence
		n.Content = append(n.Content, scalar("service"), value)
		return &n
	}
	old := n.Content[at+1]
	value.HeadComment, value.LineComment, value.FootComment = old.HeadComment, old.LineComment, old.FootComment
	n.Content[at+1] = value
	return &n
}

// comments returns the comments outside the rules, and those of the rules in list. The new service of a rule keeps the
// comments of the old one.
func (in *ingress) comments(list []*yaml.Node) map[string]int {
	found := map[string]int{}
	countComments(in.doc, found)
	for _, r := range in.rules {
		removed := map[string]int{}
		countComments(r.node, removed)
		for text, n := range removed {
			found[text] -= n
		}
	}
	for _, n := range list {
		countComments(n, found)
	}
	return found
}

// hasComments reports whether a text has all these comments.
func hasComments(text string, want map[string]int) bool {
	in, err := parseIngress(text)
	if err != nil {
		return false
	}
	got := map[string]int{}
	countComments(in.doc, got)
	for comment, n := range want {
		if got[comment] < n {
			return false
		}
	}
	return true
}

// countComments counts the comment lines of a node and its children.
func countComments(n *yaml.Node, into map[string]int) {
	for _, comment := range []string{n.HeadComment, n.LineComment, n.FootComment} {
		for line := range bytes.Lines([]byte(comment)) {
			if text := string(bytes.TrimSpace(line)); text != "" {
				into[text]++
			}
		}
	}
	for _, child := range n.Content {
		countComments(child, into)
	}
}
