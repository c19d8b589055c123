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

// readable checks for mistakes that YAML parsers report without a position: encodings other than UTF-8, control
// characters and unresolved merge conflicts. It adds a finding and returns false at the first one.
func (d *decoder) readable(data []byte) bool {
	if len(data) > maxSize {
		d.add(nil, Error, RuleUnreadable, "the file is larger than 1 MiB, the limit for an infraspec")
		return false
	}
	for i, line := range d.lines {
		at := func(column int) *yaml.Node { return &yaml.Node{Line: i + 1, Column: column} }
		if !utf8.ValidString(line) {
			d.add(at(1), Error, RuleUnreadable, "this line is not valid UTF-8; save the file as UTF-8")
			return false
		}
		if strings.HasPrefix(line, "<<<<<<< ") || strings.HasPrefix(line, ">>>>>>> ") || line == "=======" {
			d.add(at(1), Error, RuleMergeConflict, "unresolved merge conflict; keep one side and remove the markers")
			return false
		}
		if n := strings.IndexFunc(line, isControl); n >= 0 {
			d.add(at(utf8.RuneCountInString(line[:n])+1), Error, RuleUnreadable, "control character in the file; remove it")
			return false
		}
	}
	return true
}

// isControl reports whether YAML 1.1 (5.1) excludes r from its character set.
func isControl(r rune) bool {
	return r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 && r != 0x85 || r >= 0xfffe && r <= 0xffff
}

var (
	yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	// parserError matches errors of yaml.v3's parser, which counts lines from 0; its scanner counts from 1.
	parserError = regexp.MustCompile(`^did not find expected (node content|key|['<])`)
	// sign matches the first character of an alias or an anchor where a value begins.
	sign          = regexp.MustCompile(`(?:^|[:\[,-])\s*([*&])`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// syntaxError adds a finding for an error of yaml.v3. Its line numbers are often off by one and it has no columns, so
// goccy/go-yaml supplies the position.
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
			at.Line, at.Column = p.Line, p.Column // not its message, which can quote the file
		}
	}
	if name := unknownAnchor.FindStringSubmatch(message); name != nil {
		if i := bytes.Index(data, []byte("*"+name[1])); i >= 0 {
			before := lineBreak.Split(string(data[:i]), -1)
			at.Line, at.Column = len(before), utf8.RuneCountInString(before[len(before)-1])+1
		}
		message = "alias to an unknown anchor; quote a value that begins with *"
	}
	if message == "did not find expected alphabetic or numeric character" { // after the sign of an alias or an anchor
		message = "a value that begins with * or & must be quoted"
		if m := sign.FindStringSubmatchIndex(d.lines[at.Line-1]); m != nil {
			at.Column = utf8.RuneCountInString(d.lines[at.Line-1][:m[2]]) + 1
		}
	}
	if advice, ok := syntaxAdvice[message]; ok {
		message += "; " + advice
	}
	if i := secondColon(d.lines[at.Line-1]); i >= 0 && strings.HasPrefix(message, "mapping values") {
		at.Column = i
	}
	if strings.HasPrefix(strings.TrimLeft(d.lines[at.Line-1], " "), "\t") {
		message = "tabs cannot indent a line in YAML; use spaces"
	}
	d.add(at, Error, RuleSyntax, "invalid YAML: %s", message)
}

// syntaxAdvice names the most likely cause of an error of yaml.v3.
var syntaxAdvice = map[string]string{
	"mapping values are not allowed in this context": "quote values with a colon, and put nested keys on their own lines",
	"could not find expected ':'":                    "check for a missing colon or an unclosed quote",
	"did not find expected key":                      "check the indentation of this line",
	"did not find expected '-' indicator":            "check the indentation of this list item",
	"found unexpected end of stream":                 "check for an unclosed quote",
	"found character that cannot start any token":    "a value that begins with @, ` or % needs quotes",
	"did not find expected comment or line break":    "a value that begins with | or > needs quotes",
	"did not find expected ',' or ']'":               "close the list with ], or quote a value that begins with [",
	"did not find expected ',' or '}'":               "close the mapping with }, or quote a value that begins with {",
	"block sequence entries are not allowed in this context": "put list items on their own lines, " +
		"and quote a value that begins with -",
}

// secondColon returns the column of the second ": " in a line, or -1.
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

// firstColumn returns the column of the first character in line that is not a space or tab.
func firstColumn(line string) int {
	return len(line) - len(strings.TrimLeft(line, " \t")) + 1
}
