package redact

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// minSecret is the minimum length of a hidden value in characters. A shorter value would match everywhere.
const minSecret = 6

// pattern is one form of a value and the mark that replaces it.
type pattern struct {
	text, mark []byte
	kind       kind
}

// kind says how the text of a pattern may differ in the output.
type kind uint8

const (
	exact    kind = iota
	inBase64      // may be broken into lines
	inHex         // may be broken into lines, and has digits of either case; the pattern has lower case
)

// forms returns patterns for a value and for each of its lines, in the forms in which programs quote, escape or encode
// them. The patterns do not include surrounding white space, which programs often trim.
func forms(name, value string) []pattern {
	core := strings.TrimSpace(value)
	if utf8.RuneCountInString(core) < minSecret {
		if utf8.RuneCountInString(value) < minSecret {
			return nil
		}
		core = value
	}
	set := formSet{mark: []byte("[redacted:" + unmarkable.ReplaceAllString(name, "?") + "]"), seen: map[string]bool{}}
	set.addEncoded(value)
	set.add(exact, escaped(core)...)
	long := 0
	for line := range strings.Lines(core) {
		if line = strings.TrimSpace(line); utf8.RuneCountInString(line) >= minSecret {
			long++
			set.add(exact, line)
			set.add(exact, escaped(line)...)
			set.addEncoded(line)
		}
	}
	if long == 0 { // otherwise the patterns of single lines suffice, and output need not wait for the next line
		set.add(exact, core)
	}
	return set.patterns
}

// unmarkable matches characters that make a mark hard to read.
var unmarkable = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

// password returns the password in value if value is a URL with one, or "". Programs also print passwords alone.
func password(value string) string {
	u, err := url.Parse(strings.TrimSpace(value))
	if err != nil || u.User == nil {
		return ""
	}
	text, _ := u.User.Password()
	return text
}

// formSet collects the patterns of one value.
type formSet struct {
	mark     []byte
	seen     map[string]bool
	patterns []pattern
}

func (s *formSet) add(k kind, texts ...string) {
	for _, t := range texts {
		if len(t) >= minPattern && !s.seen[t] {
			s.seen[t] = true
			s.patterns = append(s.patterns, pattern{[]byte(t), s.mark, k})
		}
	}
}

func (s *formSet) addEncoded(v string) {
	s.add(inHex, hexText(v))
	for _, text := range base64Texts(v) {
		s.add(inBase64, text)
		s.add(exact, escapedBase64(text)...)
	}
}

// escaped returns a value's forms in the quotes and escapes of programming languages, shells, markup and URLs. Each of
// them may also be in JSON, as in the log of a program that logs another one's output.
func escaped(v string) []string {
	quoted := slices.Concat(codeQuoted(v), shellQuoted(v), doubledQuotes(v), htmlEscaped(v), urlEscaped(v))
	forms := slices.Concat(jsonEscaped(v), quoted)
	slices.Sort(forms)
	forms = slices.Compact(forms)
	for _, form := range forms {
		if form != v {
			forms = append(forms, jsonAgain(form)...)
		}
	}
	// The patterns of single lines cover a form with several lines.
	return slices.DeleteFunc(forms, func(f string) bool { return strings.Contains(f, "\n") })
}
