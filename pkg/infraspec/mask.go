package infraspec

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// A finding quotes its line of the file, which may contain a secret that must not reach a log. The excerpt shows keys,
// the values of keys that never hold a secret, and values that cannot be one by their shape (isOrdinary). Stars replace
// everything else: values under secrets, tokens and passwords in other places, and addresses with credentials. Each
// character becomes one star, so columns stay correct.

// masker knows the words of a file, sorted by position, and which of them may be shown.
type masker struct {
	words []*yaml.Node
	shown map[*yaml.Node]bool
}

// newMasker collects the words of a document: its scalars and aliases.
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

// word matches keys that a message may quote: short, with letters, digits and a few signs.
var word = regexp.MustCompile(`^[A-Za-z0-9_./-]{1,60}$`)

// line returns the excerpt for line n (from 1), whose text is text.
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
		if comma := start - 2; comma >= at && runes[comma+1] == ' ' { // the comma after a hidden word
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
		if comment := strings.Index(string(runes[end:next]), " #"); comment >= 0 && next == len(runes) &&
			isOrdinary("", strings.TrimSpace(string(runes[end:])[comment+2:])) {
			reveal(end+utf8.RuneCountInString(string(runes[end:])[:comment]), next, "")
		}
	}
	return string(out)
}

// plain reports whether the value at path is never a secret, so it may be shown.
func plain(path string) bool {
	path = ofProcess(path)
	key, _, _ := strings.Cut(path, ".")
	key, _, _ = strings.Cut(key, "[")
	switch key {
	case "env", "secrets", "command", "migrations", "verify", "repo":
		return path == "repo.branch" || path == "migrations.database"
	}
	return path != "build.test" && !strings.HasPrefix(path, "build.args") &&
		!strings.HasPrefix(path, "healthcheck.command") && !strings.HasPrefix(path, "pod.annotations") &&
		!strings.HasPrefix(path, "route.annotations")
}

// mayShow reports whether an excerpt may show the value n at path. If composite, a mapping belongs there.
func mayShow(path string, n *yaml.Node, composite bool) bool {
	if strings.HasPrefix(path, "secrets") {
		return isName(path, n) || isSource(path, n)
	}
	return plain(path) && !composite || isOrdinary(lastKey(path), n.Value)
}

// lastKey returns the name of the variable or key that a path leads to. Variables may contain dots.
func lastKey(path string) string {
	for _, variables := range []string{"env.", "build.args."} {
		if name, ok := strings.CutPrefix(ofProcess(path), variables); ok {
			return name
		}
	}
	return path[strings.LastIndexByte(path, '.')+1:]
}

// isName reports whether n is a valid name under secrets.
func isName(path string, n *yaml.Node) bool {
	return strings.HasPrefix(path, "secrets[") && envName.MatchString(n.Value)
}

// isSource reports whether n is a valid source of a secret.
func isSource(path string, n *yaml.Node) bool {
	return strings.HasSuffix(path, ".from") && reference.MatchString(n.Value) ||
		strings.HasSuffix(path, ".file") && strings.HasPrefix(n.Value, "/")
}

// plainKeys matches the keys whose values may be shown if the file is not YAML and only the line is known.
var plainKeys = regexp.MustCompile(`^(app|role|deploy|core|port|healthcheck|replicas|schedule|timeout|internal|` +
	`external|gateway|section|ingress|dockerfile|branch|autoDeploy|database|retain|mountPath|size|class|access|` +
	`timezone|overlay|security|` +
	`hostPath|window|threshold)$`)

// keyed matches a line with a key: the text before it, the key, the colon and the rest.
var keyed = regexp.MustCompile(`^([\s\-]*)["']?([A-Za-z0-9_.-]{1,60})["']?(\s*:)(.*)$`)

// maskUnparsed returns the excerpt for a line of a file that is not YAML.
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
