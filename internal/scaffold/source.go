package scaffold

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"norn/internal/regularfile"
	"norn/pkg/infraspec"
)

// SourceError reports a file of another tool that cannot become an infraspec.
type SourceError struct {
	Place  string // file or file:line
	Reason string
}

// Error returns the place and the reason.
func (e *SourceError) Error() string { return e.Place + ": " + e.Reason }

// Limits of a file of another tool. Aliases could make a short file endless.
const (
	maxSourceNodes = 100_000
	maxSourceDepth = 100
)

// sourceFile is a file of another tool, with what could not be carried over from it.
type sourceFile struct {
	file  string // as the user named it
	notes []sourceNote
	// refs has the variables to which scalars refer, and unset those of them that have no value in the file.
	refs, unset map[*yaml.Node][]string
	// defaults are the variables whose defaults were used.
	defaults []string
}

type sourceNote struct {
	line int
	text string
}

func (s *sourceFile) errorf(line int, format string, args ...any) error {
	return &SourceError{s.place(line), fmt.Sprintf(format, args...)}
}

func (s *sourceFile) place(line int) string {
	if line == 0 {
		return s.file
	}
	return s.file + ":" + strconv.Itoa(line)
}

// note says what is not carried over, or needs a look. It must not contain a value of the file.
func (s *sourceFile) note(at *yaml.Node, key, format string, args ...any) {
	line := 0
	if at != nil {
		line = at.Line
	}
	text := fmt.Sprintf(format, args...)
	if key != "" {
		text = shownKey(key) + ": " + text
	}
	one := sourceNote{line, text}
	if !slices.Contains(s.notes, one) {
		s.notes = append(s.notes, one)
	}
}

// texts returns the notes with their places, in the order of the file.
func (s *sourceFile) texts() []string {
	slices.SortStableFunc(s.notes, func(a, b sourceNote) int { return cmp.Compare(a.line, b.line) })
	var all []string
	for _, n := range s.notes {
		all = append(all, s.place(n.line)+": "+n.text)
	}
	return all
}

// plainKey matches the keys that messages quote. Any other could be a value at the wrong place.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_.@/-]{1,120}$`)

// shownKey returns a key for messages, or what it is if it could contain a secret.
func shownKey(key string) string {
	if !plainKey.MatchString(key) || infraspec.LooksSecret("", key) {
		return "a key"
	}
	return key
}

// readSource reads the file at path as text.
func readSource(path string) ([]byte, error) {
	data, err := regularfile.Read(path, regularfile.MaxText)
	if err != nil {
		reason := err
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			reason = p.Err
		}
		return nil, &SourceError{path, fmt.Sprintf("cannot read the file: %v", reason)}
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, &SourceError{path, "the file is empty"}
	case !utf8.Valid(data):
		return nil, &SourceError{path, "the file is not valid UTF-8"}
	}
	return data, nil
}

// yamlProblem matches errors of yaml.v3. The rest of their text can quote the file.
var yamlProblem = regexp.MustCompile(`^yaml: (?:line (\d+): )?([a-z' ,:-]{1,80})`)

// parseYAML returns the mapping that data contains, without aliases and merge keys.
func (s *sourceFile) parseYAML(data []byte) (*yaml.Node, error) {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, s.errorf(0, "the file is empty")
	} else if err != nil {
		m := yamlProblem.FindStringSubmatch(err.Error())
		if m == nil {
			return nil, s.errorf(0, "invalid YAML")
		}
		line, _ := strconv.Atoi(m[1])                  // 0 without a line
		if strings.HasPrefix(m[2], "unknown anchor") { // the rest quotes the file
			m[2] = "alias to an unknown anchor"
		}
		return nil, s.errorf(line, "invalid YAML: %s", strings.TrimRight(m[2], " ':"))
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, s.errorf(1, "the file must be a mapping of keys to values")
	}
	left := maxSourceNodes
	root := s.expand(doc.Content[0], &left, 0)
	if left < 0 {
		return nil, s.errorf(0, "the aliases of the file make it too large or endless")
	}
	return root, nil
}

// expand returns a copy of n with aliases replaced and merge keys applied. It makes left negative if n is too large or
// too deep.
func (s *sourceFile) expand(n *yaml.Node, left *int, depth int) *yaml.Node {
	line := n.Line
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if *left--; depth > maxSourceDepth {
		*left = -1
	}
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: n.Style, Line: line}
	if *left < 0 {
		return out
	}
	if n.Kind != yaml.MappingNode {
		for _, c := range n.Content {
			out.Content = append(out.Content, s.expand(c, left, depth+1))
		}
		return out
	}
	own := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && *left >= 0; i += 2 {
		if key := n.Content[i]; key.Tag != "!!merge" && !own[key.Value] {
			own[key.Value] = true
			out.Content = append(out.Content, s.expand(key, left, depth+1), s.expand(n.Content[i+1], left, depth+1))
		}
	}
	for i := 0; i+1 < len(n.Content) && *left >= 0; i += 2 {
		if n.Content[i].Tag == "!!merge" {
			merge(out, own, s.expand(n.Content[i+1], left, depth+1))
		}
	}
	return out
}

// merge adds the keys of a mapping, or of a list of mappings, that out does not have itself.
func merge(out *yaml.Node, own map[string]bool, value *yaml.Node) {
	if value.Kind == yaml.SequenceNode {
		for _, c := range value.Content {
			merge(out, own, c)
		}
		return
	}
	for k, v := range pairs(value) {
		if !own[k.Value] {
			own[k.Value] = true
			out.Content = append(out.Content, k, v)
		}
	}
}

// pairs yields the keys and the values of a mapping, and nothing for any other node.
func pairs(n *yaml.Node) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// at returns the value at a path of keys, or nil.
func at(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		n = get(n, key)
	}
	return n
}

// items returns the items of a list, or the value itself, as most tools accept both.
func items(n *yaml.Node) []*yaml.Node {
	switch {
	case n == nil || isNull(n):
		return nil
	case n.Kind == yaml.SequenceNode:
		return n.Content
	}
	return []*yaml.Node{n}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// word returns the text of a scalar, or "".
func word(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || isNull(n) {
		return ""
	}
	return n.Value
}

// truth reports whether a scalar is true.
func truth(n *yaml.Node) bool {
	return slices.Contains([]string{"true", "yes", "on"}, strings.ToLower(word(n)))
}

// whole returns a number between low and high, or 0.
func whole(n *yaml.Node, low, high int) int {
	number, err := strconv.Atoi(word(n))
	if err != nil || number < low || number > high {
		return 0
	}
	return number
}
