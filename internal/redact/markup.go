package redact

import (
	"net/url"
	"regexp"
	"strings"
)

// htmlEscaped returns a value's forms in HTML and XML. Libraries differ in how they escape quotes.
func htmlEscaped(v string) []string {
	text := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(v)
	forms := []string{text}
	for _, quotes := range [][2]string{
		{"&#34;", "&#39;"},   // Go
		{"&quot;", "&#x27;"}, // Python
		{"&quot;", "&#39;"}, {"&quot;", "&#039;"}, {"&quot;", "&apos;"}, {"&quot;", "'"}, {`"`, "&#39;"},
	} {
		forms = append(forms, strings.NewReplacer(`"`, quotes[0], "'", quotes[1]).Replace(text))
	}
	return forms
}

// urlEscaped returns a value's forms in the parts of a URL, with hexadecimal digits of either case.
func urlEscaped(v string) []string {
	query := url.QueryEscape(v)
	spaced := strings.ReplaceAll(query, "+", "%20")
	var forms []string
	for _, form := range []string{
		query, spaced, encodeURIComponent.Replace(query), strings.ReplaceAll(spaced, "%2F", "/"),
		strings.NewReplacer("~", "%7E", "%2A", "*").Replace(query), // HTML forms
		url.PathEscape(v), (&url.URL{Path: v}).EscapedPath(), url.User(v).String(), encodeURI.Replace(spaced),
	} {
		forms = append(forms, form, percent.ReplaceAllStringFunc(form, strings.ToLower))
	}
	return forms
}

var (
	// encodeURIComponent turns the result of url.QueryEscape into that of JavaScript's encodeURIComponent.
	encodeURIComponent = strings.NewReplacer(
		"+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")
	// encodeURI turns the result of url.QueryEscape, with %20, into that of JavaScript's encodeURI.
	encodeURI = strings.NewReplacer(
		"%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%3B", ";", "%2C", ",", "%2F", "/", "%3F", "?",
		"%3A", ":", "%40", "@", "%26", "&", "%3D", "=", "%2B", "+", "%24", "$", "%23", "#")
	percent = regexp.MustCompile(`%[0-9A-F]{2}`)
)
