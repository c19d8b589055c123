package redact

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// hexText returns a value in hexadecimal.
func hexText(v string) string { return hex.EncodeToString([]byte(v)) }

// base64Texts returns a value's forms in base64. Inside a longer text, such as USER:PASSWORD in an HTTP header, base64
// encodes the value in three ways, depending on its offset. base64Texts returns these forms without the digits at the
// ends that also depend on the neighboring bytes.
func base64Texts(v string) []string {
	var forms []string
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		whole := enc.EncodeToString([]byte(v))
		forms = append(forms, whole, strings.TrimRight(whole, "="))
		for lead := range 3 {
			text := enc.WithPadding(base64.NoPadding).EncodeToString(append(make([]byte, lead), v...))
			bits := (lead + len(v)) * 8
			first, last := (lead*8+5)/6, bits/6
			if last-first >= minPattern+1 {
				forms = append(forms, text[first:last])
			}
		}
	}
	return forms
}

// escapedBase64 returns the forms of base64 whose digits an encoder of JSON or of URLs escapes.
func escapedBase64(text string) []string {
	if !strings.ContainsAny(text, "+/=") {
		return nil
	}
	inURL := strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(text)
	return []string{
		strings.ReplaceAll(text, "/", `\/`), strings.ReplaceAll(text, "+", `\u002B`),
		inURL, strings.NewReplacer("%2B", "%2b", "%2F", "%2f", "%3D", "%3d").Replace(inURL),
	}
}
