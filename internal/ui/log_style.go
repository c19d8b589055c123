package ui

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

const resetStyle = "\x1b[0m"

// appendStyled appends a log line for a terminal. It dims lines of a low level, highlights matches, and removes
// control characters other than color escapes.
func (p *LogPrinter) appendStyled(dst, text []byte) []byte {
	base := ""
	if p.dim != "" && isLowLevel(text) {
		base = p.dim
	}
	dst = append(dst, base...)
	styled := false
	from := 0
	for _, m := range p.matches(text) {
		dst, styled = appendSanitized(dst, text[from:m[0]], styled)
		dst = append(append(dst, resetStyle...), p.highlight...)
		dst, styled = appendSanitized(dst, text[m[0]:m[1]], styled)
		dst = append(append(dst, resetStyle...), base...)
		from = m[1]
	}
	dst, styled = appendSanitized(dst, text[from:], styled)
	if styled || base != "" {
		dst = append(dst, resetStyle...)
	}
	return dst
}

// matches returns the parts of text to highlight, in order and without overlaps.
func (p *LogPrinter) matches(text []byte) [][]int {
	if p.highlight == "" || len(p.style.Match) == 0 {
		return nil
	}
	var all [][]int
	for _, re := range p.style.Match {
		all = append(all, re.FindAllIndex(text, -1)...)
	}
	slices.SortFunc(all, func(a, b []int) int { return a[0] - b[0] })
	var out [][]int
	for _, m := range all {
		switch n := len(out); {
		case m[0] == m[1]:
		case n > 0 && m[0] <= out[n-1][1]:
			out[n-1][1] = max(out[n-1][1], m[1])
		default:
			out = append(out, m)
		}
	}
	return out
}

// appendSanitized appends text without unsafe characters, except for tabs and color escapes. It returns true if styled
// is true or text contains color escapes.
func appendSanitized(dst, text []byte, styled bool) ([]byte, bool) {
	if bytes.IndexFunc(text, isReplaced) < 0 {
		return append(dst, text...), styled
	}
	for len(text) > 0 {
		if n := colorEscapeLen(text); n > 0 {
			dst, text, styled = append(dst, text[:n]...), text[n:], true
			continue
		}
		r, n := utf8.DecodeRune(text)
		switch {
		case r == '\r' && n == len(text): // the line ends with CR LF
		case r == utf8.RuneError: // perhaps a byte that is not UTF-8
			dst = utf8.AppendRune(dst, r)
		case isReplaced(r):
			if shown := cleanRune(r); shown >= 0 {
				dst = utf8.AppendRune(dst, shown)
			}
		default:
			dst = append(dst, text[:n]...)
		}
		text = text[n:]
	}
	return dst, styled
}

// isReplaced reports whether a terminal does not get r from a log.
func isReplaced(r rune) bool { return isUnsafe(r) && r != '\t' || r == utf8.RuneError }

// colorEscapeLen returns the length of the SGR sequence (ECMA-48: 8.3.117) at the beginning of text, or 0.
func colorEscapeLen(text []byte) int {
	if len(text) < 3 || text[0] != 0x1b || text[1] != '[' {
		return 0
	}
	for i, c := range text[2:] {
		switch {
		case c == 'm':
			return i + 3
		case c != ';' && c != ':' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}

// levelKeys lists the keys for the level in JSON logs.
var levelKeys = [][]byte{[]byte(`"level"`), []byte(`"severity"`), []byte(`"lvl"`), []byte(`"log.level"`)}

// isLowLevel reports whether a line is a JSON object whose level is below info, by name or by the numbers of bunyan and
// pino.
func isLowLevel(text []byte) bool {
	if len(text) == 0 || text[0] != '{' {
		return false
	}
	for _, key := range levelKeys {
		i := bytes.Index(text, key)
		if i < 0 {
			continue
		}
		rest := bytes.TrimLeft(text[i+len(key):], " :\"")
		end := bytes.IndexAny(rest, "\",} ")
		if end < 0 {
			return false
		}
		switch string(bytes.ToLower(rest[:end])) {
		case "debug", "trace", "verbose", "fine", "finer", "finest", "10", "20":
			return true
		}
		return false
	}
	return false
}
