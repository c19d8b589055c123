package infraspec

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// document is the text of one file: what a place in it looks like, and where each key stands.
type document struct {
	file  string
	lines []string
	// places holds each key's value by its dotted path, and "" for the whole mapping; keys holds the keys themselves.
	places, keys map[string]*yaml.Node
	masker       *masker // nil where the file is no YAML
}

// place is the node of a key's value, or of the nearest mapping above it where the key is absent.
func (d *document) place(key string) *yaml.Node {
	for {
		if n, ok := d.places[key]; ok {
			return n
		}
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			return d.places[""]
		}
		key = key[:i]
	}
}

// has reports whether the file sets key.
func (d *document) has(key string) bool {
	_, ok := d.places[key]
	return ok
}

// finding is one about the node at, or about the file as a whole where at is nil.
func (d *document) finding(at *yaml.Node, sev Severity, rule Rule, message string) Finding {
	f := Finding{File: d.file, Severity: sev, Rule: rule, Message: printable(message)}
	if at == nil {
		return f
	}
	f.Line, f.Column = at.Line, at.Column
	if f.Line > len(d.lines) { // yaml.v3 puts an empty value behind the end
		f.Line, f.Column = len(d.lines), utf8.RuneCountInString(d.lines[len(d.lines)-1])+1
	}
	line := d.lines[f.Line-1]
	f.Column = min(f.Column, utf8.RuneCountInString(line)+1)
	f.EndColumn = f.Column + width(at, []rune(line)[f.Column-1:])
	return f
}

// quotedWidth is how many runes a quoted scalar has in its first line.
func quotedWidth(rest []rune) int {
	quote := rest[0]
	for i := 1; i < len(rest); i++ {
		switch {
		case quote == '"' && rest[i] == '\\', quote == '\'' && rest[i] == '\'' && i+1 < len(rest) && rest[i+1] == '\'':
			i++
		case rest[i] == quote:
			return i + 1
		}
	}
	return len(rest)
}

// excerpts gives findings the lines that they are about. It comes last, when it is known what of them may be shown.
func (d *document) excerpts(found []Finding) {
	for i, f := range found {
		switch {
		case f.Line == 0 || f.noExcerpt:
		case d.masker == nil:
			found[i].Source = maskUnparsed(d.lines[f.Line-1])
		default:
			found[i].Source = d.masker.line(f.Line, d.lines[f.Line-1])
		}
	}
}

// show notes that a node's text may be shown. A tag or an anchor before it may be the beginning of a value that was not quoted.
func (d *document) show(n *yaml.Node) {
	if d.masker != nil && n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 && !holdsSecret(n.Value) {
		d.masker.shown[n] = true
	}
}

// printable is a message in one line, whatever of the file it repeats.
func printable(message string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) || r == '\t' || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, message)
}

// width is how many runes of rest, the line from the node's beginning, belong to a scalar node; 1 for what is no scalar.
func width(n *yaml.Node, rest []rune) int {
	if n.Kind != yaml.ScalarNode || len(rest) == 0 {
		return 1
	}
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 { // they stand before the value, and are what is meant
		return max(1, utf8.RuneCountInString(strings.Fields(string(rest) + " .")[0]))
	}
	switch n.Style {
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		return quotedWidth(rest)
	case 0:
		if strings.HasPrefix(string(rest), n.Value) {
			return max(1, utf8.RuneCountInString(n.Value))
		}
	}
	return 1
}

// Finding makes a finding about the value of key in a file that has been read, for checks that need more than the file.
func (s *Spec) Finding(key string, sev Severity, rule Rule, message string) Finding {
	found := []Finding{s.doc.finding(s.doc.place(key), sev, rule, message)}
	s.doc.excerpts(found)
	return found[0]
}

// Has reports whether the file itself sets key, by its dotted path; defaults do not count.
func (s *Spec) Has(key string) bool { return s.doc.has(key) }
