package infraspec

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	goccy "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
	"gopkg.in/yaml.v3"
)

// readable finds what no YAML parser gives a place for: other encodings, control characters, an unfinished merge.
func (d *decoder) readable(data []byte) bool {
	if len(data) > maxSize {
		d.add(nil, Error, RuleUnreadable, "the file is larger than 1 MiB; this is no infraspec")
		return false
	}
	for i, line := range d.lines {
		at := func(column int) *yaml.Node { return &yaml.Node{Line: i + 1, Column: column} }
		if !utf8.ValidString(line) {
			d.add(at(1), Error, RuleUnreadable, "this line is not UTF-8 text; save the file as UTF-8")
			return false
		}
		if strings.HasPrefix(line, "<<<<<<< ") || strings.HasPrefix(line, ">>>>>>> ") || line == "=======" {
			d.add(at(1), Error, RuleMergeConflict, "a merge conflict was left here; keep one side and remove the marks")
			return false
		}
		if n := strings.IndexFunc(line, isControl); n >= 0 {
			d.add(at(utf8.RuneCountInString(line[:n])+1), Error, RuleUnreadable, "a control character stands here")
			return false
		}
	}
	return true
}

// isControl is what YAML 1.1 (5.1) leaves out of its character set.
func isControl(r rune) bool {
	return r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 && r != 0x85 || r >= 0xfffe && r <= 0xffff
}

var (
	yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	// parserError is what yaml.v3's parser finds; it counts lines from 0, unlike its scanner.
	parserError   = regexp.MustCompile(`^did not find expected (node content|key|['<])`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// syntaxError makes a finding of what yaml.v3 says. Its lines are often one off and it has no columns, so another parser is asked for the place.
func (d *decoder) syntaxError(data []byte, err error) {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		m = []string{"", "", err.Error()}
	}
	at, message := &yaml.Node{Line: 1, Column: 1}, m[2]
	if line, convErr := strconv.Atoi(m[1]); convErr == nil {
		if parserError.MatchString(m[2]) {
			line++
		}
		at.Line = min(line, len(d.lines))
		at.Column = firstColumn(d.lines[at.Line-1])
	}
	var second *goccy.SyntaxError
	if _, err := parser.ParseBytes(data, 0); errors.As(err, &second) && second.Token != nil {
		p := second.Token.Position
		if p.Line >= 1 && p.Line <= len(d.lines) && p.Column >= 1 {
			at.Line, at.Column = p.Line, p.Column // its message can repeat the file's text
		}
	}
	if name := unknownAnchor.FindStringSubmatch(message); name != nil {
		if i := bytes.Index(data, []byte("*"+name[1])); i >= 0 {
			before := lineBreak.Split(string(data[:i]), -1)
			at.Line, at.Column = len(before), utf8.RuneCountInString(before[len(before)-1])+1
		}
		message = "an alias to an anchor that is not there; a value that begins with * must be quoted"
	}
	if advice, ok := syntaxAdvice[message]; ok {
		message += "; " + advice
	}
	if i := secondColon(d.lines[at.Line-1]); i >= 0 && strings.HasPrefix(message, "mapping values") {
		at.Column = i
	}
	if strings.HasPrefix(strings.TrimLeft(d.lines[at.Line-1], " "), "\t") {
		message = "a tab cannot indent a line in YAML; use spaces"
	}
	d.add(at, Error, RuleSyntax, "not valid YAML: %s", message)
}

// syntaxAdvice says what is most often meant by a parser's words.
var syntaxAdvice = map[string]string{
	"mapping values are not allowed in this context": "a value with a colon in it must be quoted, and a nested key stands in a line of its own",
	"could not find expected ':'":                    "a key without a colon, or a quote that is not closed",
	"did not find expected key":                      "a line that is indented otherwise than its neighbours",
	"did not find expected '-' indicator":            "an item that is indented otherwise than its neighbours",
	"found unexpected end of stream":                 "a quote that is not closed",
	"found character that cannot start any token":    "a value that begins with @, ` or % must be quoted",
}

// secondColon is the column of the second colon that ends a key in a line, or -1.
func secondColon(line string) int {
	first := strings.Index(line, ": ")
	if first < 0 {
		return -1
	}
	second := strings.Index(line[first+1:], ": ")
	if second < 0 {
		return -1
	}
	return utf8.RuneCountInString(line[:first+1+second]) + 1
}

// firstColumn is the column of a line's first character that is no space.
func firstColumn(line string) int {
	return len(line) - len(strings.TrimLeft(line, " \t")) + 1
}
