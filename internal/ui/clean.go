package ui

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sanitize returns text from elsewhere as one line. A terminal does not react to the line, and a CI system does not
// take it for a command. Line breaks become blanks.
func sanitize(text string) string { return detectCI().escapeCommands(clean(text)) }

// clean replaces the unsafe characters of text by blanks, and bytes that are not UTF-8 by U+FFFD. It removes
// partsOfWords.
func clean(text string) string { return strings.Map(cleanRune, text) }

// cleanRune returns r, or what clean replaces it with. It returns -1 for nothing.
func cleanRune(r rune) rune {
	switch {
	case strings.ContainsRune(partsOfWords, r):
		return -1
	case isUnsafe(r):
		return ' '
	}
	return r
}

// partsOfWords are unsafe characters inside the words of languages such as Khmer, Thai and Arabic, where a blank would
// be wrong: the soft hyphen, the zero-width space and the direction marks.
const partsOfWords = "\u00ad\u200b\u061c\u200e\u200f"

// isUnsafe reports whether a terminal would react to r, or show text with r as if it were another text. Unsafe are
// control characters, line separators, direction controls (Unicode: UAX #9) and invisible characters (UAX #44:
// Default_Ignorable_Code_Point). Joiners and variation selectors are safe, because words and emoji consist of them too.
func isUnsafe(r rune) bool {
	switch {
	case r < 0xa0:
		return r < ' ' || r >= 0x7f
	case unicode.In(r, unicode.Join_Control, unicode.Prepended_Concatenation_Mark):
		return false
	default:
		return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point)
	}
}

// escapeUnsafe appends JSON to dst, with its unsafe characters as escapes. The JSON means the same.
func escapeUnsafe(dst, encoded []byte) []byte {
	from := 0
	for i := 0; i < len(encoded); {
		if encoded[i] >= ' ' && encoded[i] < 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRune(encoded[i:])
		if isUnsafe(r) && !strings.ContainsRune("\t\r\n", r) { // JSON has these between its parts
			dst = appendEscape(append(dst, encoded[from:i]...), r)
			from = i + n
		}
		i += n
	}
	return append(dst, encoded[from:]...)
}

// escapeHashes returns JSON without "##", with which commands of CI systems begin anywhere in a line (escapeCommands).
// In JSON, '#' is only in strings, and the result means the same.
func escapeHashes(encoded []byte) []byte {
	if bytes.IndexByte(encoded, '#') < 0 {
		return encoded
	}
	return twoHashes.ReplaceAll(encoded, []byte(`#${1}\u0023`))
}

var twoHashes = regexp.MustCompile(`#([\pM\p{Cf}]*)#`)

// PrintText prints lines that may contain text from elsewhere.
func PrintText(w io.Writer, text string) error {
	var b strings.Builder
	for line := range strings.Lines(redactText(w, text)) {
		b.WriteString(sanitize(strings.TrimSuffix(line, "\n")) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// PrintData prints a result for other programs as it is. On a terminal, it replaces unsafe characters except for tabs.
func PrintData(w io.Writer, data []byte) error {
	if !hasColumns(w) {
		_, err := w.Write(data)
		return err
	}
	_, err := io.WriteString(w, strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' {
			return r
		}
		return cleanRune(r)
	}, redactText(w, string(data))))
	return err
}
