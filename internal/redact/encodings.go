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

// minSecret is the minimum length of a hidden value in characters. A shorter value would match everywhere.
const minSecret = 6

// forms returns patterns for a value and for each of its lines, in the forms in which programs quote, escape or encode
// them. The patterns do not include surrounding white space, which programs often trim.
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
	if long == 0 { // otherwise the patterns of single lines suffice, and output need not wait for the next line
		add(core)
	}
	return out
}

// password returns the password in value if value is a URL with one, or "". Programs also print passwords alone.
func password(value string) string {
	u, err := url.Parse(strings.TrimSpace(value))
	if err != nil || u.User == nil {
		return ""
	}
	text, _ := u.User.Password()
	return text
}

// unmarkable matches characters that make a mark hard to read.
var unmarkable = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

// escaped returns a value's forms in JSON, in Go and shell quotes, and in URLs.
func escaped(v string) []string {
	forms := []string{jsonText(v, true), jsonText(v, false), unquote(strconv.Quote(v)), unquote(strconv.QuoteToASCII(v))}
	forms = append(forms, jsonText(forms[0], true), jsonText(forms[1], false)) // JSON in JSON, as in logs of logs
	forms = append(forms, strings.ReplaceAll(v, `'`, `'\''`))
	query := url.QueryEscape(v)
	component := encodeURIComponent.Replace(query)
	for _, form := range []string{
		query, strings.ReplaceAll(query, "+", "%20"), component,
		url.PathEscape(v), (&url.URL{Path: v}).EscapedPath(), url.User(v).String(),
	} {
		forms = append(forms, form, percent.ReplaceAllStringFunc(form, strings.ToLower))
	}
	// The patterns of single lines cover a form with several lines.
	return slices.DeleteFunc(forms, func(f string) bool { return strings.Contains(f, "\n") })
}

// encodeURIComponent turns the result of url.QueryEscape into that of JavaScript's encodeURIComponent.
var encodeURIComponent = strings.NewReplacer(
	"+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")

var percent = regexp.MustCompile(`%[0-9A-F]{2}`)

func jsonText(v string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if enc.Encode(v) != nil {
		return ""
	}
	return unquote(strings.TrimSuffix(b.String(), "\n"))
}

func unquote(v string) string { return v[1 : len(v)-1] }

// base64Line is the line length of base64(1).
const base64Line = 76

// encoded returns a value's forms in base64 and hexadecimal. Inside a longer text, such as USER:PASSWORD in an HTTP
// header, base64 encodes the value in three ways, depending on its offset. encoded returns these forms without the
// digits at the ends that also depend on the neighboring bytes.
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
