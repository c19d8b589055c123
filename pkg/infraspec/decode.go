package infraspec

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// decoder fills a Spec from YAML nodes strictly and goes on after a mistake, so that
// all of them are found in one go. places remembers where each key's value stands,
// by its dotted path, for the rules that come after.
type decoder struct {
	file     string
	lines    []string
	places   map[string]*yaml.Node
	findings []Finding
}

func (d *decoder) add(at *yaml.Node, sev Severity, format string, args ...any) {
	f := Finding{File: d.file, Severity: sev, Message: fmt.Sprintf(format, args...)}
	if at != nil {
		f.Line, f.Column = at.Line, at.Column
		if f.Line > len(d.lines) { // yaml.v3 puts an empty value behind the end
			f.Line, f.Column = len(d.lines), len(d.lines[len(d.lines)-1])+1
		}
		if f.Line >= 1 {
			f.Source = d.lines[f.Line-1]
		}
	}
	d.findings = append(d.findings, f)
}

func (d *decoder) decodeSpec(root *yaml.Node, s *Spec) {
	d.places[""] = root
	d.structValue(root, "", reflect.ValueOf(s).Elem())
}

// maxDepth bounds nesting, so that an alias to its own parent ends in a finding.
const maxDepth = 20

func (d *decoder) value(n *yaml.Node, path string, v reflect.Value) {
	if strings.Count(path, ".") > maxDepth {
		d.add(n, Error, "nested too deeply")
		return
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Tag == "!!null" { // "env:" with nothing after it is the same as no env
		return
	}
	d.places[path] = n
	switch p := v.Addr().Interface().(type) {
	case *Command:
		d.command(n, path, p)
		return
	case *Seconds:
		d.seconds(n, path, p)
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

func (d *decoder) structValue(n *yaml.Node, path string, v reflect.Value) {
	fields := map[string]reflect.Value{}
	var names []string
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("yaml"); name != "" {
			fields[name] = v.Field(i)
			names = append(names, name)
		}
	}
	d.eachKey(n, path, func(key, val *yaml.Node) {
		f, ok := fields[key.Value]
		if !ok {
			d.add(key, Error, "unknown key %q%s%s", key.Value, in(path), didYouMean(key.Value, names))
			return
		}
		d.value(val, join(path, key.Value), f)
	})
}

func (d *decoder) mapValue(n *yaml.Node, path string, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	d.eachKey(n, path, func(key, val *yaml.Node) {
		elem := reflect.New(v.Type().Elem()).Elem()
		d.value(val, join(path, key.Value), elem)
		v.SetMapIndex(reflect.ValueOf(key.Value), elem)
	})
}

// eachKey calls do for every key of a mapping once, and reports what is not a mapping or stands twice.
func (d *decoder) eachKey(n *yaml.Node, path string, do func(key, val *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.add(n, Error, "%s must be a mapping of keys to values, not %s", path, describe(n))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if first, dup := seen[key.Value]; dup {
			d.add(key, Error, "key %q%s is already set in line %d", key.Value, in(path), first)
			continue
		}
		seen[key.Value] = key.Line
		do(key, val)
	}
}

func (d *decoder) sliceValue(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.add(n, Error, "%s must be a list, not %s", path, describe(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.value(item, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
	}
}

func (d *decoder) scalar(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.add(n, Error, "%s must be %s, not %s", path, kindName(v.Kind()), describe(n))
		return
	}
	switch v.Kind() {
	case reflect.String: // a number or a bool is taken as it is written, as the original did
		v.SetString(n.Value)
	case reflect.Bool:
		var b bool
		if n.Tag != "!!bool" || n.Decode(&b) != nil {
			d.add(n, Error, "%s must be true or false, not %q", path, n.Value)
			return
		}
		v.SetBool(b)
	case reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if n.Tag != "!!int" || err != nil {
			d.add(n, Error, "%s must be a whole number, not %q", path, n.Value)
			return
		}
		v.SetInt(int64(i))
	}
}

func (d *decoder) command(n *yaml.Node, path string, c *Command) {
	if n.Kind == yaml.ScalarNode {
		*c = Command{"/bin/sh", "-c", n.Value}
		return
	}
	var args []string
	d.sliceValue(n, path, reflect.ValueOf(&args).Elem())
	*c = args
}

func (d *decoder) seconds(n *yaml.Node, path string, s *Seconds) {
	if n.Kind == yaml.ScalarNode {
		if secs, err := strconv.ParseInt(n.Value, 10, 32); err == nil && secs > 0 {
			*s = Seconds(time.Duration(secs) * time.Second)
			return
		}
		if dur, err := time.ParseDuration(n.Value); err == nil && dur > 0 {
			*s = Seconds(dur)
			return
		}
	}
	d.add(n, Error, "%s must be a number of seconds or a duration such as 30s or 5m, not %s", path, describe(n))
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

func kindName(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	default:
		return "a string"
	}
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return strconv.Quote(n.Value)
	}
}
