package infraspec

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// errUnpinnable means that Pin cannot edit the file without changing something else.
var errUnpinnable = errors.New("the environment is not written where norn could add a key, such as in an alias")

// PinFile writes a cluster's fingerprint into the infraspec at path, for an environment; see Pin.
func PinFile(path, environment, cluster string) error {
	return editFile(path, func(data []byte) ([]byte, error) { return Pin(path, data, environment, cluster) })
}

// Pin returns the text of an infraspec in which an environment has a cluster's fingerprint. It keeps everything else,
// with its comments and its format.
func Pin(path string, data []byte, environment, cluster string) ([]byte, error) {
	text, marked := bytes.CutPrefix(data, []byte(byteOrderMark))
	spec, found := inspect(path, text)
	if HasErrors(found) {
		return nil, Errors(found)
	}
	if _, ok := spec.Environments[environment]; !ok {
		return nil, &EnvironmentError{Path: path, Name: environment, Known: spec.EnvironmentNames()}
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != len(spec.doc.lines) || !spec.doc.pin(lines, "environments."+environment, strconv.Quote(cluster)) {
		return nil, errUnpinnable
	}
	pinned := []byte(strings.Join(lines, "\n"))
	if !spec.isPinned(pinned, environment, cluster) {
		return nil, errUnpinnable
	}
	if marked {
		pinned = append([]byte(byteOrderMark), pinned...)
	}
	return pinned, nil
}

// pin writes a fingerprint into the lines of the file, for the environment at a path. It reports whether it could.
func (d *document) pin(lines []string, at, cluster string) bool {
	key, value := d.keys[at], d.places[at]
	own, ownKey := d.places[at+".cluster"], d.keys[at+".cluster"]
	entry := "cluster: " + cluster
	switch {
	case own != nil:
		f := d.finding(own, Note, RuleEnvironment, "")
		return replace(lines, f.Line, f.Column, f.EndColumn, cluster)
	case ownKey != nil: // without a value
		return false
	case value == nil: // an environment without keys
		f := d.finding(key, Note, RuleEnvironment, "")
		return replace(lines, f.Line, f.EndColumn+1, f.EndColumn+1, " {"+entry+"}")
	case value.Style&yaml.FlowStyle != 0:
		if len(value.Content) > 0 {
			entry += ", "
		}
		return replace(lines, value.Line, value.Column+1, value.Column+1, entry)
	default:
		indent := strings.Repeat(" ", value.Content[0].Column-1)
		end := ""
		if strings.HasSuffix(lines[key.Line-1], "\r") {
			end = "\r"
		}
		lines[key.Line-1] += "\n" + indent + entry + end
		return true
	}
}

// replace replaces the characters from one column to another in a line. Lines and columns begin at 1.
func replace(lines []string, line, from, to int, text string) bool {
	runes := []rune(lines[line-1])
	if from < 1 || to < from || to > len(runes)+1 {
		return false
	}
	lines[line-1] = string(runes[:from-1]) + text + string(runes[to-1:])
	return true
}

// isPinned reports whether data differs from the file of s only in the fingerprint of an environment.
func (s *Spec) isPinned(data []byte, environment, cluster string) bool {
	now, found := inspect(s.doc.file, data)
	if HasErrors(found) || !slices.Equal(now.EnvironmentNames(), s.EnvironmentNames()) {
		return false
	}
	pinned := *s
	pinned.Environments = map[string]Environment{}
	for name, e := range s.Environments {
		if name == environment {
			e.Cluster = cluster
		}
		pinned.Environments[name] = e
	}
	same := *now
	for _, one := range []*Spec{&pinned, &same} {
		one.doc, one.overlay, one.laid, one.lay = nil, nil, nil, nil
	}
	if !reflect.DeepEqual(pinned, same) {
		return false
	}
	for name, was := range s.laid {
		was, is := *was, *now.laid[name]
		for _, one := range []*Spec{&was, &is} {
			one.doc, one.overlay, one.laid, one.lay, one.Environments = nil, nil, nil, nil, nil
		}
		if !reflect.DeepEqual(was, is) {
			return false
		}
	}
	return true
}
