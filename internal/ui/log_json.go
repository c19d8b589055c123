package ui

import (
	"bytes"
	"encoding/json"
	"time"
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
	dst = appendJSONHead(dst, head, at)
	dst = append(appendJSONText(dst, text), '"')
	object := bytes.TrimSpace(text)
	if len(object) > 1 && object[0] == '{' && json.Valid(object) && utf8.Valid(object) {
		dst = append(append(dst, `,"fields":`...), object...)
	}
	return append(dst, '}', '\n')
}

// appendJSONText appends text as the inside of a JSON string (RFC 8259: 7). Invalid UTF-8 becomes U+FFFD.
func appendJSONText(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, text[from:i]...), `\ufffd`...)
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
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	return append(dst, text[from:]...)
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
