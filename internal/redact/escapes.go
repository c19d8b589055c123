package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonStyle is what an encoder of JSON escapes beyond what it must (RFC 8259: 7).
type jsonStyle struct {
	format string // of an escaped UTF-16 code unit
	ascii  bool   // escapes all characters beyond ASCII
	more   string // ASCII characters that it escapes as code units
	slash  bool   // escapes / as \/
}

var jsonStyles = []jsonStyle{
	{format: `\u%04x`},                                // JavaScript
	{format: `\u%04x`, ascii: true},                   // Python, Ruby's ascii_only
	{format: `\u%04X`, ascii: true},                   // Jackson's ESCAPE_NON_ASCII
	{format: `\u%04x`, ascii: true, slash: true},      // PHP
	{format: `\u%04x`, slash: true},                   // PHP's JSON_UNESCAPED_UNICODE, Swift
	{format: `\u%04x`, more: `<>&='`},                 // Gson
	{format: `\u%04X`, ascii: true, more: "\"<>&'+`"}, // .NET
}

// jsonEscaped returns a value's forms inside a JSON string.
func jsonEscaped(v string) []string {
	forms := []string{goJSON(v, true), goJSON(v, false)}
	for _, s := range jsonStyles {
		forms = append(forms, s.escape(v))
	}
	return forms
}

// jsonAgain returns the forms of a text without control characters inside a JSON string.
func jsonAgain(text string) []string {
	return []string{goJSON(text, true), goJSON(text, false), jsonStyles[1].escape(text), jsonStyles[4].escape(text)}
}

func (s jsonStyle) escape(v string) string {
	var b strings.Builder
	for _, r := range v {
		switch i := strings.IndexRune("\b\f\n\r\t", r); {
		case i >= 0:
			b.WriteString(`\` + `bfnrt`[i:i+1])
		case r < ' ' || s.ascii && r >= utf8.RuneSelf || strings.ContainsRune(s.more, r):
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, s.format, unit)
			}
		case r == '"' || r == '\\' || r == '/' && s.slash:
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// goJSON returns a text as encoding/json writes it.
func goJSON(v string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if enc.Encode(v) != nil {
		return ""
	}
	return unquote(strings.TrimSuffix(b.String(), "\n"))
}

func unquote(v string) string { return v[1 : len(v)-1] }

// codeQuoted returns a value's forms in string literals: of Go, of Python, JavaScript and MySQL, and of C.
func codeQuoted(v string) []string {
	double, ascii := unquote(strconv.Quote(v)), unquote(strconv.QuoteToASCII(v))
	latin := cEscape(v, pythonASCII)
	bytewise := cEscape(v, pythonByte)
	forms := []string{double, ascii}
	for _, f := range []string{strings.ReplaceAll(double, `\"`, `"`), latin, bytewise} { // in single quotes
		forms = append(forms, f, strings.ReplaceAll(f, `'`, `\'`))
	}
	return append(forms, strings.ReplaceAll(double, `'`, `\'`), // either quote escaped
		strings.ReplaceAll(latin, `"`, `\"`), strings.ReplaceAll(bytewise, `"`, `\"`),
		strings.ReplaceAll(cEscape(v, octalByte), `"`, `\"`))
}

// cEscape returns v with the escapes of C. other escapes the characters beyond ASCII and the control characters without
// an escape of their own.
func cEscape(v string, other func(b *strings.Builder, text string, r rune)) string {
	var b strings.Builder
	for i := 0; i < len(v); {
		r, n := utf8.DecodeRuneInString(v[i:])
		switch j := strings.IndexRune("\n\r\t\\", r); {
		case j >= 0:
			b.WriteString(`\` + `nrt\`[j:j+1])
		case r < ' ' || r >= 0x7f:
			other(&b, v[i:i+n], r)
		default:
			b.WriteString(v[i : i+n])
		}
		i += n
	}
	return b.String()
}

// octalByte escapes as C and $'…' in shells do.
func octalByte(b *strings.Builder, text string, _ rune) {
	for i := range len(text) {
		fmt.Fprintf(b, `\%03o`, text[i])
	}
}

// pythonByte escapes as Python's bytes do.
func pythonByte(b *strings.Builder, text string, _ rune) {
	for i := range len(text) {
		fmt.Fprintf(b, `\x%02x`, text[i])
	}
}

// pythonASCII escapes as Python's ascii does.
func pythonASCII(b *strings.Builder, text string, r rune) {
	switch {
	case r == utf8.RuneError && len(text) == 1:
		fmt.Fprintf(b, `\x%02x`, text[0])
	case r < 0x100:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

// doubledQuotes returns a value's forms in SQL, YAML and CSV.
func doubledQuotes(v string) []string {
	return []string{strings.ReplaceAll(v, `'`, `''`), strings.ReplaceAll(v, `"`, `""`)}
}
