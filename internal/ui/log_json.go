package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonHead returns the part after the time that is the same in all objects of one container's lines.
func jsonHead(from LogOrigin) []byte {
	b := append([]byte(nil), `"pod":"`...)
	b = append(appendJSONText(b, []byte(from.Pod)), `","container":"`...)
	b = append(appendJSONText(b, []byte(from.Container)), '"')
	if from.Revision != "" {
		b = append(append(b, `,"revision":`...), from.Revision...)
	}
	return append(b, `,"message":"`...)
}

func appendJSONHead(dst, head []byte, at time.Time) []byte {
	dst = append(dst, `{"time":"`...)
	dst = at.AppendFormat(dst, time.RFC3339Nano)
	return append(append(dst, `",`...), head...)
}

// appendJSONLine appends a line as a JSON object. If the line itself is a JSON object, it is added as fields.
func appendJSONLine(dst, head []byte, at time.Time, text []byte) []byte {
	start := len(dst)
	dst = appendJSONHead(dst, head, at)
	dst = append(appendJSONText(dst, text), '"')
	object := bytes.TrimSpace(text)
	if len(object) > 1 && object[0] == '{' && json.Valid(object) && utf8.Valid(object) {
		dst = escapeUnsafe(append(dst, `,"fields":`...), object)
	}
	dst = append(dst[:start], escapeHashes(dst[start:])...)
	return append(dst, '}', '\n')
}

// appendJSONPart appends a part of a line as a part of a JSON string. It escapes every '#', because the next part may
// begin with another one.
func appendJSONPart(dst, text []byte) []byte {
	start := len(dst)
	dst = appendJSONText(dst, text)
	return append(dst[:start], bytes.ReplaceAll(dst[start:], []byte("#"), []byte(`\u0023`))...)
}

// appendJSONText appends text as the inside of a JSON string (RFC 8259: 7). Invalid UTF-8 becomes U+FFFD. Characters to
// which a terminal would react become escapes.
func appendJSONText(dst, text []byte) []byte {
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && n == 1 || isUnsafe(r) {
				dst = appendEscape(append(dst, text[from:i]...), r)
				from = i + n
			}
			i += n
			continue
		}
		dst = append(dst, text[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\t':
			dst = append(dst, '\\', 't')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = appendEscape(dst, rune(c))
		}
		i++
		from = i
	}
	return append(dst, text[from:]...)
}

// appendEscape appends the escape of a character in JSON.
func appendEscape(dst []byte, r rune) []byte {
	for _, unit := range utf16.Encode([]rune{r}) {
		dst = fmt.Appendf(dst, `\u%04x`, unit)
	}
	return dst
}

// incompleteSuffix returns the number of bytes of an incomplete character at the end of text.
func incompleteSuffix(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if c := text[len(text)-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(text[len(text)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
