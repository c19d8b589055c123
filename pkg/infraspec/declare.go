package infraspec

import (
	"bytes"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// errUndeclarable means that Declare cannot edit the file without changing something else.
var errUndeclarable = errors.New("secrets is not written where norn could add a name, such as in an alias")

// DeclareFile adds names to the secrets of the infraspec at path; see Declare.
func DeclareFile(path, environment string, names []string) error {
	return editFile(path, func(data []byte) ([]byte, error) { return Declare(path, data, environment, names) })
}

// Declare returns the text of an infraspec whose secrets include names: in the list of the environment if it has its
// own, or else in that of the file. It keeps everything else, with its comments and its format.
func Declare(path string, data []byte, environment string, names []string) ([]byte, error) {
	text, marked := bytes.CutPrefix(data, []byte(byteOrderMark))
	spec, found := inspect(path, text)
	if HasErrors(found) {
		return nil, errors.New("the file has errors; see norn validate")
	}
	in, err := spec.In(environment)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != len(spec.doc.lines) || !in.doc.declare(lines, names) {
		return nil, errUndeclarable
	}
	declared := []byte(strings.Join(lines, "\n"))
	if !spec.declares(declared, environment, names) {
		return nil, errUndeclarable
	}
	if marked {
		declared = append([]byte(byteOrderMark), declared...)
	}
	return declared, nil
}

// listItem matches the beginning of a line with an item of a list.
var listItem = regexp.MustCompile(`^\s*-\s+`)

// declare adds names to the list of secrets in the lines of the file. It reports whether it could.
func (d *document) declare(lines, names []string) bool {
	list, end := d.places["secrets"], ""
	if strings.HasSuffix(lines[0], "\r") {
		end = "\r"
	}
	switch {
	case list == nil:
		last := len(lines) - 1
		if strings.TrimSpace(lines[last]) != "" {
			lines[last] += end + "\n"
		}
		lines[last] += "secrets:" + end + "\n  - " + strings.Join(names, end+"\n  - ") + end + "\n"
		return true
	case list.Kind == yaml.MappingNode:
		return declareIn(list, lines, names, end)
	case list.Kind != yaml.SequenceNode:
		return false
	case len(list.Content) == 0:
		return replace(lines, list.Line, list.Column+1, list.Column+1, strings.Join(names, ", "))
	}
	item := list.Content[len(list.Content)-1]
	f := d.finding(item, Note, RuleName, "")
	if list.Style&yaml.FlowStyle != 0 {
		return replace(lines, f.Line, f.EndColumn, f.EndColumn, ", "+strings.Join(names, ", "))
	}
	begin := listItem.FindString(lines[item.Line-1])
	if begin == "" {
		return false
	}
	lines[item.Line-1] = strings.TrimSuffix(lines[item.Line-1], "\r") + end
	for _, name := range names {
		lines[item.Line-1] += "\n" + begin + name + end
	}
	return true
}

// declareIn adds names at the beginning of a mapping of secrets in the lines of the file, which end with end and a line
// feed. It reports whether it could.
func declareIn(mapping *yaml.Node, lines, names []string, end string) bool {
	if mapping.Style&yaml.FlowStyle != 0 {
		entries := strings.Join(names, ": {}, ") + ": {}"
		if len(mapping.Content) > 0 {
			entries += ", "
		}
		return replace(lines, mapping.Line, mapping.Column+1, mapping.Column+1, entries)
	}
	line := lines[mapping.Line-1]
	indent := strings.Repeat(" ", mapping.Column-1)
	if !strings.HasPrefix(line, indent) {
		return false
	}
	lines[mapping.Line-1] = indent + strings.Join(names, ":"+end+"\n"+indent) + ":" + end + "\n" + line
	return true
}

// declares reports whether data differs from the file of s only in the names that it declares, in an environment or in
// those too that share its list.
func (s *Spec) declares(data []byte, environment string, names []string) bool {
	now, found := inspect(s.doc.file, data)
	if HasErrors(found) || !slices.Equal(now.EnvironmentNames(), s.EnvironmentNames()) {
		return false
	}
	same := func(was, is Spec) bool {
		had, has := slices.Sorted(slices.Values(was.Secrets)), slices.Sorted(slices.Values(is.Secrets))
		more := slices.Sorted(slices.Values(slices.Concat(had, names)))
		if !slices.Equal(has, more) && (was.Environment == environment || !slices.Equal(has, had)) {
			return false
		}
		for _, one := range []*Spec{&was, &is} {
			one.doc, one.overlay, one.laid, one.lay, one.Secrets = nil, nil, nil, nil, nil
		}
		return reflect.DeepEqual(was, is)
	}
	for name, was := range s.laid {
		if !same(*was, *now.laid[name]) {
			return false
		}
	}
	return same(*s, *now)
}
