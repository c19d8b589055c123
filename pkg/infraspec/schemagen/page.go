package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"
)

const head = `<!-- Generated from the types in pkg/infraspec by go generate ./pkg/infraspec. -->
# infraspec.yaml

One file beside an app's source says what the app is. ` + "`norn init`" + ` writes one, ` + "`norn validate`" + ` checks it, ` + "`norn render`" + ` shows
what it makes in the cluster. The file is read strictly: an unknown key, a value of a wrong type or a key that stands twice is
an error with its place. Keys with nothing behind them count as absent. Anchors, aliases and ` + "`<<`" + ` merges are taken as YAML means
them. A file written for the original system stays valid.

Editors that know the YAML language server complete and check the file with the schema that ` + "`norn schema`" + ` prints. ` + "`norn init`" + `
puts it into ` + "`.norn/infraspec.schema.json`" + ` and names it in the file's first line.

`

// page is docs/infraspec.md.
func page(root *jsonschema.Schema, rules [][2]string) []byte {
	var out bytes.Buffer
	out.WriteString(head)
	table(&out, "The keys", root)
	sections(&out, "", root)
	out.WriteString("## What is found\n\nEach finding names its rule. An error ends with exit code 2; a warning does only with `--strict`; notes are shown by `norn validate -v`.\n\n")
	out.WriteString("| rule | what it says |\n|---|---|\n")
	for _, r := range rules {
		fmt.Fprintf(&out, "| `%s` | %s |\n", r[0], cell(r[1]))
	}
	return out.Bytes()
}

// sections writes a table for each nested mapping.
func sections(out *bytes.Buffer, path string, s *jsonschema.Schema) {
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		name := strings.TrimPrefix(path+"."+p.Key, ".")
		nested := p.Value
		if nested.Items != nil && nested.Items.Properties != nil {
			nested, name = nested.Items, name+"[]"
		}
		if nested.Properties != nil && nested.Properties.Len() > 0 {
			table(out, "`"+name+"`", nested)
			sections(out, name, nested)
		}
	}
}

func table(out *bytes.Buffer, title string, s *jsonschema.Schema) {
	fmt.Fprintf(out, "## %s\n\n| key | type | default | what |\n|---|---|---|---|\n", title)
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		fallback := ""
		if p.Value.Default != nil {
			fallback = fmt.Sprintf("`%v`", p.Value.Default)
		}
		if slices.Contains(s.Required, p.Key) {
			fallback = "required"
		}
		what := strings.TrimPrefix(p.Value.Description, goName(p.Key)+" ")
		fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", p.Key, cell(typeName(p.Value)), fallback, cell(sentence(what)))
	}
	out.WriteByte('\n')
}

// goName is the field's name that a comment begins with: "Port is the port …".
func goName(key string) string {
	if key == "url" || key == "kv" {
		return strings.ToUpper(key)
	}
	return strings.ToUpper(key[:1]) + key[1:]
}

// sentence drops the verb after the name that was cut off, and begins with a capital.
func sentence(text string) string {
	for _, verb := range []string{"is ", "are ", "says "} {
		text = strings.TrimPrefix(text, verb)
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func typeName(s *jsonschema.Schema) string {
	if slices.Contains(s.Enum, any(true)) {
		return "true or false"
	}
	if s.Enum != nil {
		var words []string
		for _, e := range s.Enum {
			words = append(words, fmt.Sprintf("`%v`", e))
		}
		return strings.Join(words, ", ")
	}
	list, _ := s.Extras["type"].([]any)
	has := func(t string) bool { return slices.Contains(list, any(t)) }
	switch {
	case has("array") && has("string"):
		return "command line: a string for `/bin/sh -c`, or a list"
	case has("array") && s.Items.Properties != nil:
		return "list of mappings"
	case has("array"):
		return "list of strings"
	case has("object"):
		return "mapping"
	case has("number") && has("integer"):
		return "memory: `256m` (MiB) or `1Gi`"
	case has("integer") && has("string"):
		return "seconds, or a duration such as `5m`"
	case has("number") && !has("boolean"):
		return "amount such as `1Gi`"
	case has("integer") && s.Maximum != "":
		return fmt.Sprintf("%s to %s", s.Minimum, s.Maximum)
	case has("integer"):
		return "whole number"
	default:
		return "string"
	}
}

func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", `\|`), "<", "&lt;")
}

// rules reads the rules' names and comments from rule.go.
func rules(dir string) ([][2]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, "rule.go"), nil, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("read the rules: %w", err)
	}
	var out [][2]string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				name, err := strconv.Unquote(lit.Value)
				if err == nil {
					out = append(out, [2]string{name, strings.TrimSpace(spec.Comment.Text())})
				}
			}
		}
		return true
	})
	return out, nil
}
