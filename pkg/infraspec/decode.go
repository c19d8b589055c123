package infraspec

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// decoder strictly decodes YAML nodes into a Spec. It continues after a mistake to find all of them in one run.
type decoder struct {
	*document
	findings []Finding
	merged   int // number of mappings merged by "<<" so far
	sources  map[string]SecretSource
}

func (d *decoder) add(at *yaml.Node, sev Severity, rule Rule, format string, args ...any) {
	d.findings = append(d.findings, d.finding(at, sev, rule, fmt.Sprintf(format, args...)))
}

// at adds a finding at key's value or, if key is absent, at the value of the nearest mapping above it.
func (d *decoder) at(key string, sev Severity, rule Rule, format string, args ...any) {
	d.add(d.place(key), sev, rule, format, args...)
}

// atKey adds a finding at the key itself, not at its value.
func (d *decoder) atKey(key string, sev Severity, rule Rule, format string, args ...any) {
	d.add(d.keys[d.path(key)], sev, rule, format, args...)
}

func (d *decoder) decode(root *yaml.Node, s *Spec) {
	d.places[""] = root
	spec := reflect.ValueOf(s).Elem()
	fillDefaults(spec)
	d.structValue(root, "", spec)
	s.SecretSources = d.sources
}

func (d *decoder) value(n *yaml.Node, path string, v reflect.Value) {
	n = resolved(n)
	if n.Tag == "!!null" { // a key without a value counts as absent
		return
	}
	d.places[path] = n
	composite := slices.Contains([]reflect.Kind{reflect.Struct, reflect.Map, reflect.Pointer}, v.Kind()) &&
		v.Type() != reflect.TypeFor[Healthcheck]() // which may be a scalar too
	if mayShow(path, n, composite) {
		d.show(n)
	}
	if !knownTags[n.Tag] {
		d.add(n, Error, RuleWrongType, "%s has an unknown tag; write only the value, in quotes if it begins with !", path)
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *Command:
		d.command(n, path, p)
		return
	case *Seconds:
		d.seconds(n, path, p)
		return
	case *Delay:
		d.delay(n, path, p)
		return
	case *Healthcheck:
		d.healthcheck(n, path, p)
		return
	case *Names:
		d.names(n, path, p)
		return
	case *Quantity:
		d.quantity(n, path, p)
		return
	case *Memory:
		d.memory(n, path, p)
		return
	case *SecretNames:
		d.secretNames(n, path, p)
		return
	case *map[string]Environment:
		d.environments(n, path, p)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, path, v.Elem())
	case reflect.Struct:
		d.structValue(n, path, v)
	case reflect.Map:
		d.mapValue(n, path, v)
	case reflect.Slice:
		d.sliceValue(n, path, v)
	default:
		d.scalar(n, path, v)
	}
}

// resolved returns n or, if n is an alias, the node it refers to.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// knownTags are YAML's tags for the values of an infraspec. "!" marks a scalar as a string.
var knownTags = map[string]bool{
	"!": true, "!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!timestamp": true,
	"!!map": true, "!!seq": true, "!!merge": true,
}

func (d *decoder) structValue(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.notMapping(n, path)
		return
	}
	fields := fieldsOf(v.Type())
	names := make([]string, 0, len(fields))
	for _, f := range fields {
		names = append(names, f.name)
	}
	set := map[string]bool{}
	for _, p := range d.pairs(n, path, 0) {
		i := slices.Index(names, p.key.Value)
		if i < 0 {
			d.unknownKey(p, path, names)
			d.showUnknown(p, path, v)
			continue
		}
		d.show(p.key)
		set[names[i]] = resolved(p.value).Tag != "!!null"
		before := len(d.findings)
		d.keys[join(path, names[i])] = p.key
		d.value(p.value, join(path, names[i]), v.Field(fields[i].index))
		if len(d.findings) == before && set[names[i]] {
			d.constraints(fields[i], join(path, names[i]), v.Field(fields[i].index))
		}
	}
	for _, f := range fields {
		if f.required && !set[f.name] {
			d.add(n, Error, RuleRequired, "%s is missing%s", join(path, f.name), oneOf(f.choices))
		}
	}
}

// constraints checks a value against the tags of its field.
func (d *decoder) constraints(f field, path string, v reflect.Value) {
	switch {
	case f.choices != nil && !slices.Contains(f.choices, v.String()):
		d.at(path, Error, RuleChoice, "%s %s is not one of %s%s",
			path, quoted(v.String()), strings.Join(f.choices, ", "), didYouMean(v.String(), f.choices))
	case f.most > 0 && (v.Int() < int64(f.least) || v.Int() > int64(f.most)):
		d.at(path, Error, RuleRange, "%s must be between %d and %d, not %d", path, f.least, f.most, v.Int())
	case f.required && v.Kind() == reflect.String && v.String() == "":
		d.at(path, Error, RuleRequired, "%s is empty", path)
	}
}

func oneOf(choices []string) string {
	if choices == nil {
		return ""
	}
	return "; set it to one of " + strings.Join(choices, ", ")
}

func (d *decoder) mapValue(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.notMapping(n, path)
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, p := range d.pairs(n, path, 0) {
		elem := reflect.New(v.Type().Elem()).Elem()
		d.keys[join(path, p.key.Value)] = p.key
		if elem.Kind() == reflect.Struct {
			if !d.namesProcess(p, path) {
				continue
			}
			fillDefaults(elem)
		}
		if p.repeatable() && (!areVariables(path) || envName.MatchString(p.key.Value) || isOrdinary("", p.key.Value)) {
			d.show(p.key)
		}
		d.value(p.value, join(path, p.key.Value), elem)
		v.SetMapIndex(reflect.ValueOf(p.key.Value), elem)
	}
}

// areVariables reports whether the keys of the mapping at path are the names of variables, which a user may confuse
// with their values.
func areVariables(path string) bool { return ofProcess(path) == "env" || path == "build.args" }

func (d *decoder) notMapping(n *yaml.Node, path string) {
	d.add(n, Error, RuleWrongType, "%s must be a mapping of keys to values, not %s%s",
		path, misplaced(n), insteadOfMapping(path))
}

func (d *decoder) sliceValue(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.add(n, Error, RuleWrongType, "%s must be a list, not %s%s", path, misplaced(n), insteadOf[path])
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		key := fmt.Sprintf("%s[%d]", path, i)
		if resolved(item).Tag == "!!null" {
			d.add(item, Error, RuleWrongType, "%s is empty", key)
			continue
		}
		d.value(item, key, v.Index(i))
	}
}

func (d *decoder) scalar(n *yaml.Node, path string, v reflect.Value) {
	wrong := func(want string) {
		d.add(n, Error, RuleWrongType, "%s must be %s, not %s", path, want, describe(n, path))
	}
	switch v.Kind() {
	case reflect.Bool:
		var b bool
		if n.Kind != yaml.ScalarNode || n.Decode(&b) != nil { // also yes, no, on and off, as in the original system
			wrong("true or false")
			return
		}
		v.SetBool(b)
	case reflect.Int:
		i, err := strconv.Atoi(n.Value)
		digits := strings.TrimLeft(n.Value, "-")
		octal := len(digits) > 1 && digits[0] == '0' // YAML 1.1 reads 010 as 8
		if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || octal {
			wrong("a whole number")
			return
		}
		v.SetInt(int64(i))
	default: // numbers and booleans are strings as written, as in the original system
		if n.Kind != yaml.ScalarNode && strings.HasPrefix(path, "secrets[") {
			d.add(n, Error, RuleWrongType, "%s must be a name, not %s%s", path, misplaced(n), insteadOfName(n))
			return
		}
		if n.Kind != yaml.ScalarNode {
			wrong("a string")
			return
		}
		v.SetString(n.Value)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

// describe returns a phrase for n. It does not quote a value that may be a secret.
func describe(n *yaml.Node, path string) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case !plain(path):
		return "a single value"
	default:
		return quoted(n.Value)
	}
}

// misplaced returns a phrase for n, which is in the place of a mapping or a list.
func misplaced(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return "a single value"
	}
	return describe(n, "")
}

// insteadOfMapping corrects a common mistake in the place of a mapping, or returns "".
func insteadOfMapping(path string) string {
	if name, ok := strings.CutPrefix(path, "processes."); ok && !strings.Contains(name, ".") {
		return fmt.Sprintf("; write %s: {command: COMMAND}", name)
	}
	return insteadOf[ofProcess(path)]
}

// insteadOf corrects common mistakes, by path.
var insteadOf = map[string]string{
	"env":     "; write NAME: value",
	"secrets": "; list only the names and put the values in secrets.enc.yaml" + readable,
}

const (
	readable = "; anyone with this file can read a value written here"
	// elsewhere says where the value of a secret goes.
	elsewhere = "; put the value in secrets.enc.yaml" + readable
)

// insteadOfName corrects a mapping in a list of secrets: one with the source of a secret, or else one with its value.
func insteadOfName(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && resolved(n.Content[1]).Kind == yaml.MappingNode {
		return "; for from and file, write all secrets as one mapping, without -"
	}
	return insteadOf["secrets"]
}

// maxQuoted is the most runes that a message quotes of a value.
const maxQuoted = 60

// quoted returns the first line of text, in quotes and truncated to maxQuoted.
func quoted(text string) string {
	if holdsSecret(text) {
		return "(looks like a secret)"
	}
	text, _, more := strings.Cut(text, "\n")
	if more {
		text += "…"
	}
	if r := []rune(text); len(r) > maxQuoted {
		text = string(r[:maxQuoted]) + "…"
	}
	return strconv.Quote(text)
}
