package infraspec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/util/validation"
)

// A preview is a copy of the app with a name of its own, made from an environment with ttl. --env preview/pr-12 chooses
// the preview pr-12 of the environment preview. It is an app of its own in the cluster: shop-pr-12.

// Placeholder stands for the name of a preview in the values of its environment.
const Placeholder = "{name}"

// sampleName is the name with which norn validate checks an environment that has previews.
const sampleName = "pr-1"

// SplitEnvironment splits a choice such as preview/pr-12 into the environment and the name of the preview, which is ""
// if there is no slash.
func SplitEnvironment(choice string) (environment, preview string) {
	environment, preview, _ = strings.Cut(choice, "/")
	return environment, preview
}

// NamespaceKey returns the key that sets the namespace of a choice such as staging or preview/pr-12.
func NamespaceKey(choice string) string {
	environment, _ := SplitEnvironment(choice)
	return "environments." + environment + ".namespace"
}

// PreviewError reports a choice that does not name a preview, although the environment needs it, or the other way
// round.
type PreviewError struct{ Problem, Advice string }

// Error returns the problem.
func (e *PreviewError) Error() string { return e.Problem }

// Hint returns advice.
func (e *PreviewError) Hint() string { return e.Advice }

// HasPreviews reports whether the environment is a pattern for previews.
func (e Environment) HasPreviews() bool { return e.TTL > 0 }

// named returns the environment's own keys for a preview.
func (e Environment) named(preview string) Environment {
	e.Namespace = strings.ReplaceAll(e.Namespace, Placeholder, preview)
	return e
}

// NamespacesVary reports whether each preview of the environment has a namespace of its own.
func (e Environment) NamespacesVary() bool { return strings.Contains(e.Namespace, Placeholder) }

// Chosen returns the keys that an environment has of its own, for a choice such as staging or preview/pr-12. If there
// is no such environment, the error is an *EnvironmentError; if the choice names no valid preview, a *PreviewError.
func (s *Spec) Chosen(choice string) (Environment, error) {
	name, preview := SplitEnvironment(choice)
	e, ok := s.Environments[name]
	valid := preview != "" && ValidName(preview)
	switch {
	case !ok:
		return e, &EnvironmentError{Path: s.Path(), Name: name, Known: s.EnvironmentNames()}
	case e.HasPreviews() && valid:
		return e.named(preview), nil
	case e.HasPreviews() && preview != "":
		return e, &PreviewError{fmt.Sprintf("invalid name of a preview %q", preview), dnsLabel}
	case e.HasPreviews():
		return e, &PreviewError{
			fmt.Sprintf("environment %s is a pattern for previews, and none is named", name),
			fmt.Sprintf("name the preview, such as --env %s/pr-12", name),
		}
	case choice != name:
		return e, &PreviewError{
			fmt.Sprintf("environment %s has no previews, so %s does not exist", name, choice),
			fmt.Sprintf("pass --env %s; only an environment with ttl has previews", name),
		}
	}
	return e, nil
}

// inPreview returns the infraspec of a preview, or its findings as an error.
func (s *Spec) inPreview(choice string) (*Spec, error) {
	name, preview := SplitEnvironment(choice)
	spec, found := s.lay(name, preview, choice)
	s.doc.excerpts(found)
	if HasErrors(found) {
		return nil, Errors(Sort(found))
	}
	if sample := s.laid[name]; sample.Overlay == spec.Overlay {
		spec.overlay = sample.overlay
	}
	return spec, nil
}

// BaseApp returns the app that a preview is a copy of, or the app itself. All previews share its images.
func (s *Spec) BaseApp() string { return cmp.Or(s.base, s.App) }

// TTL returns how long a preview lives after its last deploy or forge, or 0 if the spec is not that of a preview.
func (s *Spec) TTL() time.Duration {
	name, preview := SplitEnvironment(s.Environment)
	if preview == "" {
		return 0
	}
	return s.Environments[name].TTL.Duration()
}

// PreviewApp returns the name in the cluster of an app's preview.
func PreviewApp(app, preview string) string { return app + "-" + preview }

// BaseOf returns the app that a preview is a copy of, from the name of its app in the cluster and from its environment.
// It returns app if the environment is not that of a preview.
func BaseOf(app, environment string) string {
	_, preview := SplitEnvironment(environment)
	if preview == "" {
		return app
	}
	return strings.TrimSuffix(app, "-"+preview)
}

// EnvironmentFlag returns the end of a command that names an environment, such as " --env staging", or "" without one.
func EnvironmentFlag(environment string) string {
	if environment == "" {
		return ""
	}
	return " --env " + environment
}

// layPreview returns the mapping of an infraspec for a preview. laid has the environment laid over it.
func (d *decoder) layPreview(laid, environment *yaml.Node, preview string) *yaml.Node {
	n := &naming{decoder: d, name: preview, own: map[*yaml.Node]bool{}}
	if environment != nil {
		n.collect(environment)
	}
	return n.each(laid, func(key string, value *yaml.Node) *yaml.Node {
		switch key {
		case "app":
			return n.with(value, PreviewApp(value.Value, preview))
		case "hosts":
			return n.hosts(value)
		case "env":
			return n.values(value)
		case "processes":
			return n.processes(value)
		}
		return value
	})
}

// naming replaces the placeholder in the values of an environment. The result has copies of the nodes that change, at
// the same places of the file.
type naming struct {
	*decoder
	name string
	own  map[*yaml.Node]bool // the nodes of the environment
}

// collect records the nodes that the environment consists of.
func (n *naming) collect(node *yaml.Node) {
	if n.own[node] {
		return
	}
	n.own[node] = true
	if node.Kind == yaml.AliasNode {
		n.collect(node.Alias)
	}
	for _, c := range node.Content {
		n.collect(c)
	}
}

// each returns a copy of a mapping in which do has changed the values. A node of another kind stays.
func (n *naming) each(mapping *yaml.Node, do func(key string, value *yaml.Node) *yaml.Node) *yaml.Node {
	mapping = resolved(mapping)
	if mapping.Kind != yaml.MappingNode {
		return mapping
	}
	out := *mapping
	out.Content, out.Anchor = nil, ""
	for _, p := range n.quietPairs(mapping) {
		out.Content = append(out.Content, p.key, do(p.key.Value, p.value))
	}
	return &out
}

// with returns a copy of a scalar with another text.
func (n *naming) with(node *yaml.Node, text string) *yaml.Node {
	scalar := resolved(node)
	if scalar.Kind != yaml.ScalarNode || scalar.Tag == "!!null" {
		return node
	}
	out := *scalar
	out.Value, out.Anchor = text, ""
	return &out
}

// fill replaces the placeholder in a value of the environment.
func (n *naming) fill(node *yaml.Node) *yaml.Node {
	scalar := resolved(node)
	if !n.own[node] || !strings.Contains(scalar.Value, Placeholder) {
		return node
	}
	return n.with(node, strings.ReplaceAll(scalar.Value, Placeholder, n.name))
}

func (n *naming) values(mapping *yaml.Node) *yaml.Node {
	return n.each(mapping, func(_ string, value *yaml.Node) *yaml.Node { return n.fill(value) })
}

// hosts replaces the placeholder in host names. The name of a Service that the environment does not set gets the name
// of the preview at its end, so that previews in one namespace do not share it.
func (n *naming) hosts(mapping *yaml.Node) *yaml.Node {
	return n.each(mapping, func(key string, value *yaml.Node) *yaml.Node {
		if key == "internal" && !n.own[value] && resolved(value).Value != "" {
			return n.with(value, PreviewApp(resolved(value).Value, n.name))
		}
		return n.fillAll(value)
	})
}

// fillAll is fill for a value that may be a list.
func (n *naming) fillAll(node *yaml.Node) *yaml.Node {
	list := resolved(node)
	if list.Kind != yaml.SequenceNode {
		return n.fill(node)
	}
	out := *list
	out.Content, out.Anchor = nil, ""
	for _, item := range list.Content {
		out.Content = append(out.Content, n.fill(item))
	}
	return &out
}

func (n *naming) processes(mapping *yaml.Node) *yaml.Node {
	return n.each(mapping, func(_ string, process *yaml.Node) *yaml.Node {
		return n.each(process, func(key string, value *yaml.Node) *yaml.Node {
			switch key {
			case "hosts":
				return n.hosts(value)
			case "env":
				return n.values(value)
			}
			return value
		})
	})
}

// checkPreview checks what the previews of an environment must not share, and the length of their names.
func (d *decoder) checkPreview(s *Spec, environment, preview string, unnamed *Spec) {
	if label := len(environment) + 1 + len(preview); label > validation.LabelValueMaxLength {
		d.at("app", Error, RuleName, "%s/%s is too long for a label: %d characters, at most %d",
			environment, preview, label, validation.LabelValueMaxLength)
	}
	own := s.Environments[environment]
	shared := func(key, here, there string) {
		if here != "" && here == there {
			d.at(key, Error, RuleEnvironment, "%s is the same in all previews; write %s in it, or null to remove it",
				key, Placeholder)
		}
	}
	for i, host := range s.Hosts.External {
		if slices.Contains(unnamed.Hosts.External, host) {
			shared(d.nameKey("hosts.external", i), host, host)
		}
	}
	if own.NamespacesVary() {
		return
	}
	shared("hosts.internal", s.Hosts.Internal, unnamed.Hosts.Internal)
	for name, p := range s.Processes {
		shared("processes."+name+".hosts.internal", p.Hosts.Internal, unnamed.Processes[name].Hosts.Internal)
	}
}

// checkPattern checks the keys of an environment that has previews.
func (d *decoder) checkPattern(at string, e Environment) {
	text := e.Namespace
	if e.HasPreviews() {
		text = e.named(sampleName).Namespace
	}
	if text != "" && !ValidName(text) {
		d.at(at+".namespace", Error, RuleName, "namespace %s is not a DNS label; %s", quoted(e.Namespace), dnsLabel)
	}
	if e.HasPreviews() && e.Protected {
		d.atKey(at+".protected", Error, RuleEnvironment,
			"an environment with ttl cannot be protected: CI jobs make and end its previews")
	}
}

// isPattern reports whether an environment that is written at a path has previews.
func (s *Spec) isPattern(name string) bool { return s.Environments[name].HasPreviews() }

// PreviewEnvironments returns the names of the environments that have previews, sorted.
func (s *Spec) PreviewEnvironments() []string {
	return slices.DeleteFunc(s.EnvironmentNames(), func(name string) bool { return !s.isPattern(name) })
}
