package scaffold

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxVariables limits how deeply defaults can contain variables, and how often a text is expanded.
const maxVariables = 10

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)

// interpolate replaces variables in all scalars by their defaults (docs.docker.com/reference/compose-file:
// Interpolation). norn reads neither the shell's environment nor .env, which hold secrets.
func (s *sourceFile) interpolate(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		if strings.Contains(n.Value, "$") {
			v := &variables{}
			if n.Value = v.expand(n.Value, 0); len(v.refs) > 0 {
				s.refs[n], s.unset[n] = v.refs, v.unset
				for _, name := range v.defaults {
					s.defaults = append(s.defaults, shownKey(name))
				}
			}
		}
		return
	}
	for i, c := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			s.interpolate(c)
		}
	}
}

// variables collects the variables of a text.
type variables struct{ refs, unset, defaults []string }

func (v *variables) expand(text string, depth int) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 || i+1 == len(text) {
			break
		}
		b.WriteString(text[:i])
		text = text[i+1:]
		if text[0] == '$' {
			b.WriteByte('$')
			text = text[1:]
			continue
		}
		if name := variableName.FindString(text); name != "" {
			b.WriteString(v.value(name, "", depth))
			text = text[len(name):]
			continue
		}
		end := closingBrace(text)
		if end < 0 {
			b.WriteByte('$')
			continue
		}
		inside := text[1:end]
		name := variableName.FindString(inside)
		b.WriteString(v.value(name, inside[len(name):], depth))
		text = text[end+1:]
	}
	b.WriteString(text)
	return b.String()
}

// value returns the default of a variable with an operator such as :-, and notes whether it has one.
func (v *variables) value(name, operator string, depth int) string {
	if !slices.Contains(v.refs, name) {
		v.refs = append(v.refs, name)
	}
	for _, o := range []string{":-", "-"} {
		if rest, ok := strings.CutPrefix(operator, o); ok && depth < maxVariables {
			v.defaults = append(v.defaults, name)
			return v.expand(rest, depth+1)
		}
	}
	if strings.HasPrefix(operator, ":+") || strings.HasPrefix(operator, "+") { // empty without the variable
		return ""
	}
	v.unset = append(v.unset, name)
	return ""
}

// closingBrace returns the index of the brace that closes the one at the start of text, or -1.
func closingBrace(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
		if depth == 0 {
			return -1
		}
	}
	return -1
}
