package infraspec

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Environment is a partial infraspec that norn lays over the file for one environment, with keys of its own. Mappings
// merge key by key, and everything else replaces, lists too. null removes a key. An environment cannot set app and
// environments. See docs/environments.md.
type Environment struct {
	// Namespace is the namespace of the app in this environment. The default is --namespace or NORN_NAMESPACE.
	Namespace string `yaml:"namespace" jsonschema:"pattern=^([-a-z0-9]|[{]name[}])*$,maxLength=63"`
	// Cluster is the fingerprint of the cluster. norn stops before it reads anything from another cluster. norn env pin
	// writes it.
	Cluster string `yaml:"cluster" jsonschema:"pattern=^(sha256:[0-9a-f]{64})?$"`
	// Protected is true if commands that write ask for the name of the environment first, or need --yes.
	Protected bool `yaml:"protected"`
	// TTL is how long a preview lives after its last deploy or forge. The key makes the environment a pattern for
	// previews, such as --env preview/pr-12. In its namespace, hosts and env, {name} stands for pr-12.
	TTL Seconds `yaml:"ttl"`
}

// EnvironmentError reports that an infraspec does not have an environment.
type EnvironmentError struct {
	Path  string   // of the infraspec
	Name  string   // of the environment
	Known []string // the environments that the infraspec has
	From  string   // the flag or the variable that names the environment
}

// Error names the environment and the file.
func (e *EnvironmentError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("no environment %q: %s has no environments", e.Name, e.Path)
	}
	return fmt.Sprintf("no environment %q in %s", e.Name, e.Path)
}

// Hint lists the environments.
func (e *EnvironmentError) Hint() string {
	if len(e.Known) == 0 {
		if e.From == "NORN_ENV" {
			return "unset NORN_ENV, or add environments to the file"
		}
		return "omit --env, or add environments to the file"
	}
	known := "its environments are " + strings.Join(e.Known, ", ")
	if near := Nearest(e.Name, e.Known); near != "" {
		return "did you mean " + near + "? " + known
	}
	return known
}

// EnvironmentNames returns the names of the environments, sorted.
func (s *Spec) EnvironmentNames() []string { return slices.Sorted(maps.Keys(s.Environments)) }

// In returns the infraspec with an environment laid over it, or s itself if name is "". The errors are those of Chosen,
// and the findings about a preview.
func (s *Spec) In(name string) (*Spec, error) {
	if name == "" || name == s.Environment {
		return s, nil
	}
	if _, err := s.Chosen(name); err != nil {
		return nil, err
	}
	if laid, ok := s.laid[name]; ok {
		return laid, nil
	}
	return s.inPreview(name)
}

// InEnvironments returns the Specs of all environments, by name. An environment that has previews is that of a sample.
func (s *Spec) InEnvironments() []*Spec {
	var all []*Spec
	for _, name := range slices.Sorted(maps.Keys(s.laid)) {
		all = append(all, s.laid[name])
	}
	return all
}

// Sample returns the infraspec with an environment laid over it, also if that has mistakes. For an environment that has
// previews, it is that of a sample. The errors are those of Chosen.
func (s *Spec) Sample(choice string) (*Spec, error) {
	name, preview := SplitEnvironment(choice)
	if laid, ok := s.laid[name]; ok && (preview == "" || s.Environments[name].HasPreviews()) {
		return laid, nil
	}
	_, err := s.Chosen(choice)
	return s, err
}

// Sees reports whether a finding about the file without environments is one about the infraspec of s too, which has an
// environment laid over it.
func (s *Spec) Sees(f Finding) bool { return len(OnlyIn("", []Finding{f}, s.found)) == 0 }

// OnlyIn returns the findings about an environment's infraspec that do not apply to the file without it. Their
// messages name the environment.
func OnlyIn(environment string, found, without []Finding) []Finding {
	var own []Finding
	for _, f := range found {
		known := slices.ContainsFunc(without, func(o Finding) bool {
			samePlace := o.File == f.File && o.Line == f.Line && o.Column == f.Column
			return o.Rule == f.Rule && o.Message == f.Message && (samePlace || f.Rule == RuleRequired)
		})
		if !known {
			f.Message, f.Environment = fmt.Sprintf("environment %s: %s", environment, f.Message), environment
			own = append(own, f)
		}
	}
	return own
}

// environments decodes the keys that an environment has of its own. The others are decoded with those of the file.
func (d *decoder) environments(n *yaml.Node, path string, all *map[string]Environment) {
	if n.Kind != yaml.MappingNode {
		d.notMapping(n, path)
		return
	}
	*all = map[string]Environment{}
	for _, p := range d.pairs(n, path, 0) {
		name, at := p.key.Value, join(path, p.key.Value)
		if !p.repeatable() || !ValidName(name) {
			d.add(p.key, Error, RuleName, "%s is not a name for an environment; %s", quoted(name), dnsLabel)
			continue
		}
		d.show(p.key)
		d.keys[at] = p.key
		var one Environment
		if value := resolved(p.value); value.Kind == yaml.MappingNode {
			d.places[at] = value
			d.ownKeys(value, at, reflect.ValueOf(&one).Elem())
			d.checkPattern(at, one)
		} else if value.Tag != "!!null" {
			d.notMapping(value, at)
		}
		(*all)[name] = one
	}
}

// ownKeys decodes the keys of an environment that are not those of an infraspec.
func (d *decoder) ownKeys(n *yaml.Node, path string, v reflect.Value) {
	for _, p := range d.pairs(n, path, 0) {
		for _, f := range fieldsOf(v.Type()) {
			if f.name != p.key.Value {
				continue
			}
			at := join(path, f.name)
			d.show(p.key)
			d.keys[at] = p.key
			d.value(p.value, at, v.Field(f.index))
			d.environmentKey(at, f.name, v.Field(f.index))
		}
		if slices.Contains(notInEnvironments, p.key.Value) {
			d.show(p.key)
			d.add(p.key, Error, RuleEnvironment, "an environment cannot set %s", p.key.Value)
		}
	}
}

// notInEnvironments are the keys of an infraspec that are the same in all environments.
var notInEnvironments = []string{"app", "environments"}

func (d *decoder) environmentKey(at, key string, v reflect.Value) {
	if v.Kind() != reflect.String || v.String() == "" {
		return
	}
	if text := v.String(); key == "cluster" && !fingerprint.MatchString(text) {
		d.at(at, Error, RuleEnvironment, "cluster %s is not a fingerprint; norn env pin writes it", quoted(text))
	}
}

// checkEnvironments checks the file with each of its environments laid over it.
func (d *decoder) checkEnvironments(root *yaml.Node, s *Spec) {
	if len(s.Environments) == 0 {
		return
	}
	s.laid = map[string]*Spec{}
	without := slices.Clone(d.findings)
	s.lay = func(environment, preview, choice string) (*Spec, []Finding) {
		spec, found := d.layOver(root, s, environment, preview)
		spec.Environment, spec.found = choice, found
		return spec, OnlyIn(choice, found, without)
	}
	for _, name := range s.EnvironmentNames() {
		sample := ""
		if s.isPattern(name) {
			sample = sampleName
		}
		spec, found := s.lay(name, sample, name)
		s.laid[name] = spec
		d.findings = append(d.findings, found...)
	}
	d.indistinct(s)
}

// layOver returns the infraspec with an environment laid over it, for a preview unless that is "", and its findings.
func (d *decoder) layOver(root *yaml.Node, s *Spec, environment, preview string) (*Spec, []Finding) {
	own := d.places["environments."+environment]
	begin := func() (*Spec, *decoder) {
		doc := *d.document
		doc.places, doc.keys = map[string]*yaml.Node{}, map[string]*yaml.Node{}
		return &Spec{doc: &doc, Environments: s.Environments, laid: s.laid, lay: s.lay},
			&decoder{document: &doc, merged: d.merged}
	}
	spec, one := begin()
	laid := one.lay(root, own)
	reported := one.findings
	one.decode(laid, spec)
	if preview != "" {
		unnamed := spec
		spec, one = begin()
		one.findings = reported
		one.decode(d.layPreview(laid, own, preview), spec)
		spec.base = unnamed.App
		one.checkPreview(spec, environment, preview, unnamed)
	}
	one.check(spec)
	return spec, one.findings
}

// indistinct warns about environments that norn cannot tell apart before it has marked their objects. Previews are apps
// of their own.
func (d *decoder) indistinct(s *Spec) {
	first := map[Environment]string{}
	for _, name := range s.EnvironmentNames() {
		place := s.Environments[name]
		if place.HasPreviews() {
			continue
		}
		place.Protected = false
		if other, taken := first[place]; taken {
			d.add(d.keys["environments."+name], Warning, RuleEnvironment,
				"environments %s and %s have the same namespace and the same cluster; set namespace, or cluster with norn env pin",
				other, name)
			continue
		}
		first[place] = name
	}
}
