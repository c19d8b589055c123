package scaffold

import (
	"bufio"
	"bytes"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"norn/internal/regularfile"
	"norn/pkg/infraspec"
)

// buildArgs sets the build args, from a mapping or from a list of NAME=VALUE.
func (d *draft) buildArgs(n *yaml.Node, key string) {
	for name, value := range d.assignments(n) {
		switch text := value.Value; {
		case !infraspec.IsVariable(name):
			d.note(value, key, "an entry has no valid name for a build arg, and is left out")
		case slices.Contains([]string{"VERSION", "BUILD_NUMBER", "SOURCE_DATE_EPOCH"}, name):
			d.note(value, key+"."+name, "norn sets this build arg itself")
		case d.refersToSecret(value) || secretVariable(name, text):
			d.note(value, key+"."+name, "the value may be secret, and the image's history would show it")
		case isNull(value) || len(d.unset[value]) > 0 || value.Tag == absent:
			d.note(value, key+"."+name, "the value is not in the file; set build.args.%s", name)
		case value.Kind == yaml.ScalarNode && !strings.Contains(text, "\x00"):
			d.args = append(d.args, pair{name, text})
		default:
			d.note(value, key+"."+name, "it is not text, and is left out")
		}
	}
}

// absent is the tag of the value of a list's item without "=".
const absent = "!absent"

// assignments yields names and values of a mapping, or of a list of NAME=VALUE. A value has the line of its item.
func (s *sourceFile) assignments(n *yaml.Node) func(func(name string, value *yaml.Node) bool) {
	return func(yield func(name string, value *yaml.Node) bool) {
		for k, v := range pairs(n) {
			if !yield(k.Value, v) {
				return
			}
		}
		if n == nil || n.Kind != yaml.SequenceNode {
			return
		}
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				continue
			}
			name, text, found := strings.Cut(word(item), "=")
			value := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: item.Line}
			if !found {
				value.Tag = absent
			}
			if len(s.refs[item]) > 0 {
				s.refs[value], s.unset[value] = s.refs[item], s.unset[item]
			}
			if !yield(name, value) {
				return
			}
		}
	}
}

// inside returns a relative path below the folder of the infraspec, or "" with a note. The path is relative to base.
func (d *draft) inside(n *yaml.Node, key, base string) string {
	name := d.text(n, key)
	switch {
	case name == "":
		return ""
	case strings.Contains(name, "://") || strings.HasPrefix(name, "git@"):
		d.note(n, key, "norn builds from a folder; set repo.url for a repository")
		return ""
	case path.IsAbs(name) || strings.HasPrefix(name, "~") || strings.ContainsAny(name, "\x00\\"):
		d.note(n, key, "the path is not relative to the folder of the file, and is left out")
		return ""
	}
	return path.Join(base, name)
}

var entrypointLine = regexp.MustCompile(`(?i)^\s*ENTRYPOINT\s`)

// entrypoint says if the commands of the draft would replace the Dockerfile's entrypoint. The other tools keep it.
func (d *draft) entrypoint(folder string) {
	dockerfile := d.dockerfile
	if dockerfile == "" {
		dockerfile = "Dockerfile"
	}
	text, err := regularfile.Read(filepath.Join(folder, filepath.FromSlash(dockerfile)), regularfile.MaxText)
	if err != nil || d.main.command == nil && !slices.ContainsFunc(d.others, (*workload).hasCommand) {
		return
	}
	has := false
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if fromLine.Match(lines.Bytes()) {
			has = false
		}
		has = has || entrypointLine.Match(lines.Bytes())
	}
	if has {
		d.note(nil, "", "the Dockerfile has an ENTRYPOINT, which command replaces; write its words before the command")
	}
}

func (w *workload) hasCommand() bool { return w.command != nil }
