package infraspec

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// A finding shows its line of the file, and a line may hold what nobody should see in a log. So a line is shown with stars
// for everything but what is known to be harmless: keys, and the values of keys that hold no secret. What is under env, what
// stands in place of a secret's name, command lines, addresses, comments and what belongs to no known key are
// stars, one for each character, so that columns stay true.

// masker knows the words of a file, in their order, and which of them may be shown.
type masker struct {
	words []*yaml.Node
	shown map[*yaml.Node]bool
}

// newMasker takes up the words of a document: its scalars and aliases.
func newMasker(root *yaml.Node) *masker {
	m := &masker{shown: map[*yaml.Node]bool{}}
	m.collect(root)
	slices.SortStableFunc(m.words, func(a, b *yaml.Node) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return m
}

func (m *masker) collect(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode || n.Kind == yaml.AliasNode {
		m.words = append(m.words, n)
	}
	for _, c := range n.Content {
		m.collect(c)
	}
}

// word is what may be repeated of a key: letters, digits and a few signs, and not too long.
var word = regexp.MustCompile(`^[A-Za-z0-9_./-]{1,60}$`)

// line is line n, from 1, as it may be shown.
func (m *masker) line(n int, text string) string {
	runes := []rune(text)
	out := make([]rune, len(runes))
	for i, r := range runes {
		out[i] = '*'
		if r == ' ' || r == '\t' {
			out[i] = r
		}
	}
	first, _ := slices.BinarySearchFunc(m.words, n, func(w *yaml.Node, line int) int { return w.Line - line })
	reveal := func(from, to int, signs string) {
		for i := max(0, from); i < min(to, len(runes)); i++ {
			if signs == "" || strings.ContainsRune(signs, runes[i]) {
				out[i] = runes[i]
			}
		}
	}
	at := 0
	for i := first; i < len(m.words) && m.words[i].Line == n; i++ {
		w := m.words[i]
		start := min(w.Column-1, len(runes))
		if at == 0 && strings.Trim(string(runes[:start]), " \t-?{[\"'") == "" {
			reveal(0, start, "")
		}
		if !m.shown[w] {
			at = start + 1
			continue
		}
		if comma := start - 2; comma >= at && runes[comma+1] == ' ' { // the one that ends what is hidden before
			reveal(comma, comma+1, ",")
		}
		end := start + width(w, runes[start:])
		reveal(start, end, "")
		next := len(runes)
		if i+1 < len(m.words) && m.words[i+1].Line == n {
			next = m.words[i+1].Column - 1
		}
		reveal(end, next, `:,{}[]`)
		at = next
	}
	return string(out)
}

// plain reports whether what stands at a path is never a secret, so that it may be shown.
func plain(path string) bool {
	key, _, _ := strings.Cut(path, ".")
	key, _, _ = strings.Cut(key, "[")
	switch key {
	case "env", "secrets", "command", "migrations", "repo":
		return path == "repo.branch" || path == "migrations.database"
	}
	return path != "build.test"
}

// isName reports whether a node declares a secret's name, as it should.
func isName(path string, n *yaml.Node) bool {
	return strings.HasPrefix(path, "secrets[") && envName.MatchString(n.Value)
}

// plainKeys are the keys whose values may be shown in a file that is no YAML, where nothing else is known of a line.
var plainKeys = regexp.MustCompile(`^(app|role|deploy|core|port|healthcheck|replicas|schedule|timeout|internal|external|dockerfile|branch|autoDeploy|database|retain|mountPath|size|hostPath|window|threshold)$`)

// keyed is a line with a key: what stands before it, the key, and what goes on behind the colon.
var keyed = regexp.MustCompile(`^([\s\-]*)["']?([A-Za-z0-9_.-]{1,60})["']?(\s*:)(.*)$`)

// maskUnparsed is a line of a file that is no YAML, as it may be shown.
func maskUnparsed(text string) string {
	m := keyed.FindStringSubmatchIndex(text)
	if m == nil {
		return stars(text)
	}
	if plainKeys.MatchString(text[m[4]:m[5]]) && !strings.ContainsAny(text[m[8]:], "#{[") {
		return text
	}
	return text[:m[8]] + stars(text[m[8]:])
}

func stars(text string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' {
			return r
		}
		return '*'
	}, text)
}
