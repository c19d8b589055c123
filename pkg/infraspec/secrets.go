package infraspec

import (
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/util/validation"
)

// SecretNames are the names of values in secrets.enc.yaml: in the file a list of names, or a mapping of names to
// SecretSources. A SecretSource with from is not among the names, because its value is elsewhere.
type SecretNames []string

// SecretSource is where the value of a secret comes from, and how the app gets it. The default is an environment
// variable with the value in secrets.enc.yaml.
type SecretSource struct {
	// From is SECRET/KEY: a Secret in the app's namespace that norn does not manage, and one of its keys.
	From string `yaml:"from" jsonschema:"pattern=^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[-._a-zA-Z0-9]+$"`
	// File is the absolute path of a file with the value in the container. The app then gets no environment variable.
	File string `yaml:"file" jsonschema:"pattern=^/"`
}

// SecretReference is a secret whose value is in a Secret that norn does not manage.
type SecretReference struct {
	Name        string // of the secret in the infraspec
	Secret, Key string // where its value is
}

// Reference returns the Secret and the key that a secret's value comes from, or ok false if that is secrets.enc.yaml.
func (s *Spec) Reference(name string) (ref SecretReference, ok bool) {
	secret, key, ok := strings.Cut(s.SecretSources[name].From, "/")
	return SecretReference{name, secret, key}, ok
}

// References returns the secrets whose values are in Secrets that norn does not manage, by name.
func (s *Spec) References() []SecretReference {
	var all []SecretReference
	for _, name := range slices.Sorted(maps.Keys(s.SecretSources)) {
		if ref, ok := s.Reference(name); ok {
			all = append(all, ref)
		}
	}
	return all
}

// AllSecrets returns the names of all secrets, sorted: those with values in secrets.enc.yaml, and those with values in
// other Secrets.
func (s *Spec) AllSecrets() []string {
	names := slices.Collect(maps.Keys(s.SecretSources))
	names = append(names, s.Secrets...)
	slices.Sort(names)
	return slices.Compact(names)
}

// SecretVariables returns the names of the secrets that the app gets as environment variables, sorted.
func (s *Spec) SecretVariables() []string {
	return slices.DeleteFunc(s.AllSecrets(), func(name string) bool { return s.SecretSources[name].File != "" })
}

// SecretFiles returns the names of the secrets that the app gets as files, sorted.
func (s *Spec) SecretFiles() []string {
	return slices.DeleteFunc(s.AllSecrets(), func(name string) bool { return s.SecretSources[name].File == "" })
}

// MapsSecrets reports whether the file has the secrets as a mapping, not as a list.
func (s *Spec) MapsSecrets() bool {
	return s.doc != nil && s.doc.has("secrets") && s.doc.place("secrets").Kind == yaml.MappingNode
}

// SecretPath returns the path of the key of a secret, such as secrets[0] or secrets.API_TOKEN.
func (s *Spec) SecretPath(name string) string {
	if i := slices.Index(s.Secrets, name); i >= 0 && s.Has(element("secrets", i)) {
		return element("secrets", i)
	}
	return join("secrets", name)
}

// secretNames decodes a list of names, or a mapping of names to SecretSources.
func (d *decoder) secretNames(n *yaml.Node, path string, names *SecretNames) {
	if n.Kind != yaml.MappingNode {
		d.sliceValue(n, path, reflect.ValueOf(names).Elem())
		return
	}
	d.sources = map[string]SecretSource{}
	pairs := d.pairs(n, path, 0)
	hasValue := slices.ContainsFunc(pairs, func(p pair) bool { // the rest of it may be a key
		value := resolved(p.value)
		return value.Kind != yaml.MappingNode && value.Tag != "!!null"
	})
	for _, p := range pairs {
		name, at := p.key.Value, join(path, p.key.Value)
		if p.fragment && hasValue {
			continue
		}
		if problem := invalidName(name); problem != "" { // not quoted: it may be the value
			d.add(p.key, Error, RuleVariable, "a name under secrets %s", problem)
			continue
		}
		d.show(p.key)
		d.keys[at], d.places[at] = p.key, p.key
		var source SecretSource
		switch value := resolved(p.value); {
		case value.Tag == "!!null":
		case value.Kind != yaml.MappingNode:
			d.add(value, Error, RuleWrongType, "%s must be a mapping with from or file, or have no value%s", at,
				elsewhere)
			continue
		default:
			d.structValue(value, at, reflect.ValueOf(&source).Elem())
		}
		if source != (SecretSource{}) {
			d.sources[name] = source
		}
		if source.From == "" {
			*names = append(*names, name)
		}
	}
}

// invalidName returns why a name under secrets is not valid, or "". It does not quote the name, which may be the value.
func invalidName(name string) string {
	switch {
	case strings.ContainsAny(name, "=: "):
		return "must be only a name; put its value in secrets.enc.yaml and nowhere else"
	case !envName.MatchString(name):
		return "is not a valid variable name; " + nameAdvice
	case holdsSecret(name):
		return "looks like a secret; list only its name and put the value in secrets.enc.yaml"
	}
	return ""
}

// reference matches SECRET/KEY.
var reference = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[-._a-zA-Z0-9]+$`)

// secretSources checks the references and the files under secrets.
func (d *decoder) secretSources(s *Spec) {
	files := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.SecretSources)) {
		source, at := s.SecretSources[name], join("secrets", name)
		if _, inEnv := s.Env[name]; inEnv && source.From != "" {
			d.at(at, Error, RuleTwice, "%s is in both env and secrets; keep only one", quoted(name))
		}
		if source.From != "" {
			d.reference(at+".from", s.App, source.From)
		}
		if source.File != "" && d.secretFile(at+".file", s, source.File) {
			if other := overlapping(source.File, files); other != "" {
				d.at(at+".file", Error, RuleTwice, "%s and %s cannot both be files there", other, name)
			}
			files[source.File] = name
		}
	}
	if len(files) == 0 {
		return
	}
	for i, v := range s.Volumes {
		if v.Name == SecretVolume {
			d.at(element("volumes", i)+".name", Error, RuleTwice,
				"volume name %s is that of the volume with the files of secrets; choose another name", quoted(v.Name))
		}
	}
}

// SecretVolume is the name of the volume in the app's Pods that has the files of secrets.
const SecretVolume = "secret-files" //nolint:gosec // a name, not a credential

// reference checks a reference to a key of a Secret. Messages do not quote it, because a user may have written the
// value there.
func (d *decoder) reference(at, app, from string) {
	secret, key, _ := strings.Cut(from, "/")
	switch {
	case !reference.MatchString(from):
		d.at(at, Error, RuleName, "%s must be SECRET/KEY: a Secret in the app's namespace, and one of its keys", at)
	case len(validation.IsDNS1123Subdomain(secret)) > 0:
		d.at(at, Error, RuleName, "%s: the part before / is not the name of a Secret", at)
	case len(validation.IsConfigMapKey(key)) > 0:
		d.at(at, Error, RuleName, "%s: the part after / is not a key of a Secret", at)
	case secret == app+"-secrets" || secret == app+"-secrets-previous":
		d.at(at, Error, RuleName, "%s: norn manages Secret %s; put the value in secrets.enc.yaml and remove from", at,
			secret)
	}
}

// secretFile checks the path of a file. It reports whether the path is valid.
func (d *decoder) secretFile(at string, s *Spec, file string) bool {
	problem := ""
	switch {
	case !path.IsAbs(file):
		d.at(at, Error, RulePath, "%s must be an absolute path, such as /run/tls.key", at)
		return false
	case file == "/" || path.Clean(file) != file:
		problem = "must be the path of a file, without //, . and .., and without / at its end"
	case strings.ContainsAny(file, ":\x00"):
		problem = "must not contain ':'"
	case systemFolder(file) != "":
		problem = "cannot be in " + systemFolder(file)
	}
	if problem != "" {
		d.at(at, Error, RulePath, "%s %s %s", at, quoted(file), problem)
		return false
	}
	for _, v := range s.Volumes {
		mount := path.Clean(v.MountPath)
		if path.IsAbs(mount) && (within(file, mount) || within(mount, file)) {
			d.at(at, Error, RuleTwice, "%s %s and the mountPath %s of volume %s overlap; choose a path outside the volume",
				at, quoted(file), quoted(v.MountPath), quoted(v.Name))
			return false
		}
	}
	return true
}

// systemFolder returns the folder of the kernel's that a path is in, where nothing can be mounted, or "".
func systemFolder(file string) string {
	for _, dir := range []string{"/proc", "/sys", "/dev"} {
		if within(file, dir) {
			return dir
		}
	}
	return ""
}

// overlapping returns the name of the file at a path, above it or below it, or "".
func overlapping(file string, files map[string]string) string {
	for _, other := range slices.Sorted(maps.Keys(files)) {
		if within(file, other) || within(other, file) {
			return files[other]
		}
	}
	return ""
}

// differingSources returns the keys of secrets whose sources differ.
func (s *Spec) differingSources(other *Spec) []string {
	var keys []string
	names := append(slices.Collect(maps.Keys(s.SecretSources)), slices.Collect(maps.Keys(other.SecretSources))...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if s.SecretSources[name] != other.SecretSources[name] {
			keys = append(keys, join("secrets", name))
		}
	}
	return keys
}
