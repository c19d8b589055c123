package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// minSecret is the fewest characters of a value that is hidden: a shorter one is found everywhere.
const minSecret = 6

// forms are a value, each of its lines where there are more, and both as programs write them: quoted, escaped, encoded.
// A value is found without the blanks around it, since those are often cut.
func forms(name, value string) []pattern {
	mark := []byte("[redacted:" + unmarkable.ReplaceAllString(name, "?") + "]")
	var out []pattern
	add := func(texts ...string) {
		for _, t := range texts {
			if len(t) >= minPattern {
				out = append(out, pattern{[]byte(t), mark})
			}
		}
	}
	core := strings.TrimSpace(value)
	if utf8.RuneCountInString(core) < minSecret {
		if utf8.RuneCountInString(value) < minSecret {
			return nil
		}
		core = value
	}
	add(encoded(value)...)
	add(escaped(core)...)
	long := 0
	for line := range strings.Lines(core) {
		if line = strings.TrimSpace(line); utf8.RuneCountInString(line) >= minSecret {
			long++
			add(line)
			add(escaped(line)...)
			add(encoded(line)...)
		}
	}
	if long == 0 { // otherwise its lines are found, and nothing has to wait for the next one
		add(core)
	}
	return out
}

// password is the one in an address, which programs also show by itself, or "".
func password(value string) string {
	u, err := url.Parse(strings.TrimSpace(value))
	if err != nil || u.User == nil {
		return ""
	}
	text, _ := u.User.Password()
	return text
}

// unmarkable are characters that would not be read well in a mark.
var unmarkable = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

// escaped are the forms of a value in JSON, in Go's and the shell's quotes, and in addresses.
func escaped(v string) []string {
	forms := []string{jsonText(v, true), jsonText(v, false), inQuotes(strconv.Quote(v)), inQuotes(strconv.QuoteToASCII(v))}
	forms = append(forms, jsonText(forms[0], true), jsonText(forms[1], false)) // JSON in JSON, as in logs of logs
	forms = append(forms, strings.ReplaceAll(v, `'`, `'\''`))
	query := url.QueryEscape(v)
	component := strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(query) // as JavaScript's encodeURIComponent
	for _, form := range []string{query, strings.ReplaceAll(query, "+", "%20"), component, url.PathEscape(v), (&url.URL{Path: v}).EscapedPath(), url.User(v).String()} {
		forms = append(forms, form, percent.ReplaceAllStringFunc(form, strings.ToLower))
	}
	return slices.DeleteFunc(forms, func(f string) bool { return strings.Contains(f, "\n") }) // what has many lines is found by its lines
}

var percent = regexp.MustCompile(`%[0-9A-F]{2}`)

func jsonText(v string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if enc.Encode(v) != nil {
		return ""
	}
	return inQuotes(strings.TrimSuffix(b.String(), "\n"))
}

func inQuotes(v string) string { return v[1 : len(v)-1] }

// base64Line is where base64(1) breaks its lines.
const base64Line = 76

// encoded are the forms of a value in base64 and in hexadecimal digits. In the middle of something longer, such as the
// user and password of an HTTP header, base64 has three ways to write it, by where it begins; of its ends only what
// depends on nothing else is looked for.
func encoded(v string) []string {
	digits := hex.EncodeToString([]byte(v))
	forms := []string{digits, strings.ToUpper(digits)}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		whole := enc.EncodeToString([]byte(v))
		forms = append(forms, whole, strings.TrimRight(whole, "="))
		for rest := whole; len(whole) > base64Line && rest != ""; {
			n := min(base64Line, len(rest))
			forms = append(forms, rest[:n])
			rest = rest[n:]
		}
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
