package deploy

import (
	"strings"
	"unicode"

	"norn/pkg/deploy/source"
)

// maxSubject is how many characters of a commit's subject the history keeps.
const maxSubject = 72

// subject returns the subject of a version's commit for the history, without secret values.
func (r *run) subject(tree source.Tree) (string, error) {
	text := printable(tree.Subject)
	if r.options.Redactor == nil {
		return shortened(text), nil
	}
	redacted, err := r.options.Redactor.Values(text)
	text, _ = redacted.(string)
	return shortened(text), err
}

// printable returns text without invalid UTF-8 and without characters that a terminal acts on.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return -1
	}, strings.ToValidUTF8(text, ""))
}

// shortened returns the first maxSubject characters of text.
func shortened(text string) string {
	chars := []rune(text)
	if len(chars) <= maxSubject {
		return text
	}
	return string(chars[:maxSubject-1]) + "…"
}
