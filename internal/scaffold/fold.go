package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"norn/internal/regularfile"
	"norn/pkg/infraspec"
)

// Fold merges infraspecs of one image into one: the first web server is the main process, and the others become its
// processes. With a single path, Fold adds the other infraspecs of its folder. It returns the new infraspec, with the
// comments of the files, and what differs between the files.
func Fold(paths []string) (text string, notes []string, err error) {
	if len(paths) == 1 {
		if paths, err = siblings(paths[0]); err != nil {
			return "", nil, err
		}
	}
	var parts []part
	for _, path := range paths {
		p, err := readPart(path)
		if err != nil {
			return "", nil, err
		}
		parts = append(parts, p)
	}
	if len(parts) < 2 {
		return "", nil, fmt.Errorf("%s is the only infraspec of its image; name the others too", paths[0])
	}
	i := max(0, slices.IndexFunc(parts, func(p part) bool { return p.spec.Role == infraspec.Webserver }))
	f := &fold{main: parts[i]}
	for _, p := range slices.Delete(parts, i, i+1) {
		f.add(p)
	}
	if text, err = f.text(); err != nil {
		return "", nil, err
	}
	if _, _, err := infraspec.Parse(infraspec.FileName, []byte(text)); err != nil {
		return "", nil, fmt.Errorf("the files cannot be merged as they are: %w", errors.Join(err, notesError(f.notes)))
	}
	return text, f.notes, nil
}

func notesError(notes []string) error {
	if len(notes) == 0 {
		return nil
	}
	return errors.New(strings.Join(notes, "\n"))
}

// siblings returns path and the other infraspecs of its folder that have the same image.
func siblings(path string) ([]string, error) {
	first, err := readPart(path)
	if err != nil {
		return nil, err
	}
	found, err := filepath.Glob(filepath.Join(filepath.Dir(path), "infraspec*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list the infraspecs: %w", err)
	}
	all := []string{path}
	for _, other := range found {
		p, err := readPart(other)
		if err == nil && filepath.Clean(other) != filepath.Clean(path) && sameImage(first.spec, p.spec) {
			all = append(all, other)
		}
	}
	return all, nil
}

func sameImage(a, b *infraspec.Spec) bool {
	return a.Build.Dockerfile == b.Build.Dockerfile && a.Build.Context == b.Build.Context &&
		a.Build.Target == b.Build.Target && maps.Equal(a.Build.Args, b.Build.Args) &&
		a.Repo.URL == b.Repo.URL && a.Repo.Branch == b.Repo.Branch
}

// part is one of the infraspecs to merge.
type part struct {
	path string
	spec *infraspec.Spec
	doc  *yaml.Node // the document
}

func readPart(path string) (part, error) {
	spec, _, err := infraspec.Load(path)
	if err != nil {
		return part{}, err
	}
	data, err := regularfile.Read(path, regularfile.MaxText)
	if err != nil {
		return part{}, fmt.Errorf("read the infraspec: %w", err)
	}
	doc := &yaml.Node{}
	if err := yaml.Unmarshal(data, doc); err != nil {
		return part{}, fmt.Errorf("read %s: %w", path, err)
	}
	return part{path, spec, doc}, nil
}

// fold merges parts into main.
type fold struct {
	main      part
	processes yaml.Node
	notes     []string
}

func (f *fold) note(p part, format string, args ...any) {
	f.notes = append(f.notes, filepath.Base(p.path)+": "+fmt.Sprintf(format, args...))
}

// processKeys are the keys that a process has in common with an app.
var processKeys = []string{
	"command", "port", "healthcheck", "replicas", "schedule", "timezone", "timeout", "drain", "stop", "resources",
}

// add makes p a process of the main app.
func (f *fold) add(p part) {
	name := strings.TrimPrefix(p.spec.App, f.main.spec.App+"-")
	process := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if p.spec.Role != infraspec.Worker {
		set(process, "role", scalarNode(string(p.spec.Role)))
	}
	for _, key := range processKeys {
		if value := get(root(p.doc), key); value != nil {
			set(process, key, copied(value))
		}
	}
	if host := p.spec.Hosts.Internal; host != "" {
		hosts := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		set(hosts, "internal", scalarNode(host))
		set(process, "hosts", hosts)
	}
	f.env(p, process)
	f.volumes(p, process)
	f.secrets(p)
	for _, key := range []string{"migrations", "services"} {
		f.share(p, key)
	}
	f.compare(p, name)
	set(&f.processes, name, process)
}

// env gives the process the variables that differ from the app's.
func (f *fold) env(p part, process *yaml.Node) {
	own := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	vars := get(root(p.doc), "env")
	for i := 0; vars != nil && i+1 < len(vars.Content); i += 2 {
		name := vars.Content[i].Value
		if value, both := f.main.spec.Env[name]; !both || value != p.spec.Env[name] {
			set(own, name, copied(vars.Content[i+1]))
		}
	}
	if len(own.Content) > 0 {
		set(process, "env", own)
	}
}

// volumes gives the process the volumes that the app has too.
func (f *fold) volumes(p part, process *yaml.Node) {
	names := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, v := range p.spec.Volumes {
		if !slices.ContainsFunc(f.main.spec.Volumes, func(m infraspec.Volume) bool { return m.Name == v.Name }) {
			f.note(p, "volume %s is left out, because the main process does not have it", v.Name)
			continue
		}
		f.note(p, "volume %s is now that of the main process; move the data", v.Name)
		names.Content = append(names.Content, scalarNode(v.Name))
	}
	if len(names.Content) > 0 {
		set(process, "volumes", names)
	}
}

// secrets adds the names of p to those of the app.
func (f *fold) secrets(p part) {
	list := get(root(f.main.doc), "secrets")
	for _, name := range p.spec.Secrets {
		if slices.Contains(f.main.spec.Secrets, name) {
			continue
		}
		if list == nil || list.Kind != yaml.SequenceNode {
			list = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
			set(root(f.main.doc), "secrets", list)
		}
		list.Content = append(list.Content, scalarNode(name))
		f.main.spec.Secrets = append(f.main.spec.Secrets, name)
		f.note(p, "secret %s now goes to all processes", name)
	}
}

// share gives the app a key of p that only p sets.
func (f *fold) share(p part, key string) {
	theirs, ours := get(root(p.doc), key), get(root(f.main.doc), key)
	switch {
	case theirs == nil:
	case ours == nil:
		set(root(f.main.doc), key, copied(theirs))
	case encoded(theirs) != encoded(ours):
		f.note(p, "%s differs from the main process's, which is kept", key)
	}
}

// compare notes what a process cannot set.
func (f *fold) compare(p part, name string) {
	for _, key := range []string{"pod", "build", "repo", "overlay", "artifacts", "route"} {
		if theirs := get(root(p.doc), key); theirs != nil && encoded(theirs) != encoded(get(root(f.main.doc), key)) {
			f.note(p, "%s differs from the main process's, which is kept", key)
		}
	}
	if len(p.spec.Hosts.External) > 0 {
		f.note(p, "hosts.external is left out: only the main process can have it")
	}
	if want := infraspec.WorkloadName(f.main.spec.App, name); want != p.spec.App {
		f.note(p, "the objects of %s are now named %s", p.spec.App, want)
	}
}

// text returns the merged infraspec.
func (f *fold) text() (string, error) {
	f.processes.Kind, f.processes.Tag = yaml.MappingNode, "!!map"
	set(root(f.main.doc), "processes", &f.processes)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(f.main.doc); err != nil {
		return "", fmt.Errorf("write the infraspec: %w", err)
	}
	return out.String(), nil
}

func root(doc *yaml.Node) *yaml.Node { return doc.Content[0] }

// get returns the value of a key of a mapping, or nil.
func get(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			if v := n.Content[i+1]; v.Kind == yaml.AliasNode {
				return v.Alias
			}
			return n.Content[i+1]
		}
	}
	return nil
}

// set adds a key to a mapping, or replaces its value.
func set(n *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = value
			return
		}
	}
	n.Content = append(n.Content, scalarNode(key), value)
}

func scalarNode(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(text)
	return n
}

// copied returns a copy of a value for another document: without anchors, and with what aliases refer to.
func copied(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	out := *n
	out.Anchor, out.Content = "", nil
	for _, c := range n.Content {
		out.Content = append(out.Content, copied(c))
	}
	return &out
}

func encoded(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	var value any
	if n.Decode(&value) != nil {
		return ""
	}
	text, _ := yaml.Marshal(value) // it was decoded from YAML
	return string(text)
}
