package ui

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// appendStyled appends a log line for a terminal: without what the terminal would act on but colours, dim where it is of a low level, with
// what was searched for made plain.
func (p *LogPrinter) appendStyled(dst, text []byte) []byte {
	base := ""
	if p.dim != "" && lowLevel(text) {
		base = p.dim
	}
	dst = append(dst, base...)
	styled := false
	from := 0
	for _, hit := range p.hits(text) {
		dst, styled = appendHarmless(dst, text[from:hit[0]], styled)
		dst = append(append(dst, resetStyle...), p.hit...)
		dst, styled = appendHarmless(dst, text[hit[0]:hit[1]], styled)
		dst = append(append(dst, resetStyle...), base...)
		from = hit[1]
	}
	dst, styled = appendHarmless(dst, text[from:], styled)
	if styled || base != "" {
		dst = append(dst, resetStyle...)
	}
	return dst
}

// hits are the parts of text that match, in order and apart.
func (p *LogPrinter) hits(text []byte) [][]int {
	if p.hit == "" || len(p.style.Match) == 0 {
		return nil
	}
	var all [][]int
	for _, re := range p.style.Match {
		all = append(all, re.FindAllIndex(text, -1)...)
	}
	slices.SortFunc(all, func(a, b []int) int { return a[0] - b[0] })
	var out [][]int
	for _, h := range all {
		switch n := len(out); {
		case h[0] == h[1]:
		case n > 0 && h[0] <= out[n-1][1]:
			out[n-1][1] = max(out[n-1][1], h[1])
		default:
			out = append(out, h)
		}
	}
	return out
}

// appendHarmless appends text without control characters but tabs, and without escapes but those that choose colours; styled says
// whether there were any.
func appendHarmless(dst, text []byte, styled bool) ([]byte, bool) {
	if i := bytes.IndexFunc(text, harmful); i < 0 {
		return append(dst, text...), styled
	}
	for len(text) > 0 {
		if n := colorEscape(text); n > 0 {
			dst, text, styled = append(dst, text[:n]...), text[n:], true
			continue
		}
		r, n := utf8.DecodeRune(text)
		switch {
		case r == '\r' && n == len(text): // the end of a line of another system's
		case harmful(r):
			dst = append(dst, ' ')
		default:
			dst = append(dst, text[:n]...)
		}
		text = text[n:]
	}
	return dst, styled
}

func harmful(r rune) bool {
	return r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029
}

// colorEscape is the length of an SGR sequence (ECMA-48: 8.3.117) at the beginning of text, or 0.
func colorEscape(text []byte) int {
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

// levelKeys are what JSON logs name the level by.
var levelKeys = [][]byte{[]byte(`"level"`), []byte(`"severity"`), []byte(`"lvl"`), []byte(`"log.level"`)}

// lowLevel reports whether a line is a JSON object whose level is below info: by its name, or by its number, as bunyan and pino count.
func lowLevel(text []byte) bool {
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
