package infraspec

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// document is the text of one file and the positions of its keys.
type document struct {
	file  string
	lines []string
	// places maps a key's dotted path to its value, and "" to the whole mapping; keys maps it to the key itself.
	places, keys map[string]*yaml.Node
	masker       *masker // nil if the file is not YAML
	process      string  // the process whose keys stand for those of the app, or ""
}

// place returns the node of key's value or, if key is absent, of the nearest mapping above it.
func (d *document) place(key string) *yaml.Node {
	key = d.path(key)
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
	_, ok := d.places[d.path(key)]
	return ok
}

// finding returns a finding about the node at, or about the whole file if at is nil.
func (d *document) finding(at *yaml.Node, sev Severity, rule Rule, message string) Finding {
	f := Finding{File: d.file, Severity: sev, Rule: rule, Message: printable(message)}
	if at == nil {
		return f
	}
	f.Line, f.Column = at.Line, at.Column
	if f.Line > len(d.lines) { // yaml.v3 puts an empty value after the last line
		f.Line, f.Column = len(d.lines), utf8.RuneCountInString(d.lines[len(d.lines)-1])+1
	}
	line := d.lines[f.Line-1]
	f.Column = min(f.Column, utf8.RuneCountInString(line)+1)
	f.EndColumn = f.Column + width(at, []rune(line)[f.Column-1:])
	return f
}

// quotedWidth returns the number of runes that a quoted scalar has on its first line.
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

// excerpts sets Source in found. It must run after decoding, which decides which words may be shown.
func (d *document) excerpts(found []Finding) {
	for i := range found {
		f := &found[i]
		if f.Line == 0 || f.noExcerpt {
			continue
		}
		line := d.lines[f.Line-1]
		if d.masker == nil {
			f.Source = maskUnparsed(line)
		} else {
			f.Source = d.masker.line(f.Line, line)
		}
		f.Masked = f.Source != line
	}
}

// show allows excerpts to include n, unless it looks like a secret or has a tag or an anchor: those may be the start of
// an unquoted value.
func (d *document) show(n *yaml.Node) {
	if d.masker != nil && n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 && !holdsSecret(n.Value) {
		d.masker.shown[n] = true
	}
}

// printable returns message on one line, without the control characters it may quote from the file.
func printable(message string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) || r == '\t' || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, message)
}

// width returns the number of runes in rest, the line from n on, that belong to n; 1 if n is not a scalar.
func width(n *yaml.Node, rest []rune) int {
	if n.Kind != yaml.ScalarNode || len(rest) == 0 {
		return 1
	}
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 { // the tag or anchor precedes the value; underline that
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

// Finding returns a finding about the value of key, for checks that need more than the file itself.
func (s *Spec) Finding(key string, sev Severity, rule Rule, message string) Finding {
	found := []Finding{s.doc.finding(s.doc.place(key), sev, rule, message)}
	s.doc.excerpts(found)
	return found[0]
}

// Has reports whether the file sets key, a dotted path. Defaults do not count.
func (s *Spec) Has(key string) bool { return s.doc != nil && s.doc.has(key) }
