package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"norn/pkg/infraspec"
)

const head = `<!-- Generated from the types in pkg/infraspec by go generate ./pkg/infraspec. -->
# infraspec.yaml

` + "`infraspec.yaml`" + ` describes one app. It is in the folder of the app's source.

` + "```sh" + `
norn init       # write the file
norn validate   # check it
norn render     # print the Kubernetes objects that norn forge creates from it
` + "```" + `

- Parsing is strict. An unknown key, a duplicate key or a value of the wrong type is an error,
  reported with its position.
- A key without a value counts as absent.
- Anchors, aliases and ` + "`<<`" + ` merges work as in YAML.
- Files written for the original norn stay valid. Some of their keys have
  [no effect](#keys-without-effect).

` + "`norn init`" + ` also writes ` + "`.norn/infraspec.schema.json`" + `, which the first line of the file refers to.
Editors with the YAML language server use it to complete and check the file. ` + "`norn schema`" + ` prints
the schema.

## Several apps in one folder

A web server and its worker are one app with [processes](processes.md). Two apps of one folder have
two files, such as ` + "`infraspec.yaml`" + ` and ` + "`infraspec.worker.yaml`" + `. They share the folder's source,
Dockerfile and ` + "`secrets.enc.yaml`" + `. Pass the second file by its path, or its app by name:

` + "```sh" + `
norn deploy
norn deploy infraspec.worker.yaml     # or norn deploy shop-worker
` + "```" + `

Each app has its own image and its own history. ` + "`norn logs`, `norn status` and `norn restart`" + ` also
accept the app's name.

`

// page returns the text of docs/infraspec.md.
func page(root *jsonschema.Schema, rules [][2]string) []byte {
	var out bytes.Buffer
	out.WriteString(head)
	table(&out, "Keys", root)
	sections(&out, "", root)
	out.WriteString(ignoredHead)
	ignoredRows(&out, "", root)
	out.WriteString(rulesHead)
	for _, r := range rules {
		fmt.Fprintf(&out, "| `%s` | %s |\n", r[0], cell(r[1]))
	}
	return out.Bytes()
}

const ignoredHead = `## Keys without effect

The original norn was a server with webhooks and a dashboard, which read the same file. norn accepts
its keys below and ignores them. ` + "`norn validate -v`" + ` lists them in a file, and
[moving.md](moving.md#keys-without-effect) says what replaces them.

| key | type | meaning in the original |
|---|---|---|
`

// ignoredPhrase ends the comment of a key that norn ignores.
var ignoredPhrase = regexp.MustCompile(` norn ignores (it|them)\.$`)

// ignoredRows writes a row for each key that norn ignores.
func ignoredRows(out *bytes.Buffer, path string, s *jsonschema.Schema) {
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		name := strings.TrimPrefix(path+"."+p.Key, ".")
		switch {
		case ignoredPhrase.MatchString(p.Value.Description):
			meaning := ignoredPhrase.ReplaceAllString(meaning(p.Key, p.Value), "")
			fmt.Fprintf(out, "| `%s` | %s | %s |\n", name, cell(typeName(p.Value)), cell(meaning))
		case p.Value.Properties != nil:
			ignoredRows(out, name, p.Value)
		}
	}
	if path == "" {
		out.WriteByte('\n')
	}
}

const rulesHead = `## Rules

Each finding names the rule that it violates.

- An error ends the command with exit code 2.
- A warning does so only with ` + "`--strict`" + `.
- ` + "`norn validate -v`" + ` also shows notes.

| rule | meaning |
|---|---|
`

// sections writes a table for each nested mapping.
func sections(out *bytes.Buffer, path string, s *jsonschema.Schema) {
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		name := strings.TrimPrefix(path+"."+p.Key, ".")
		nested := p.Value
		if ignoredPhrase.MatchString(nested.Description) {
			continue
		}
		if nested.Items != nil && nested.Items.Properties != nil {
			nested, name = nested.Items, name+"[]"
		}
		if nested.AdditionalProperties != nil && nested.AdditionalProperties.Properties != nil {
			nested, name = nested.AdditionalProperties, name+".NAME"
		}
		if p.Key == "environments" { // its other keys are those of the file
			table(out, "`"+name+"`", ownKeys(nested))
			continue
		}
		if nested.Properties != nil && nested.Properties.Len() > 0 {
			table(out, "`"+name+"`", nested)
			sections(out, name, nested)
		}
	}
}

// ownKeys returns the schema of the keys that an environment has in addition to those of an infraspec.
func ownKeys(environment *jsonschema.Schema) *jsonschema.Schema {
	own := &jsonschema.Schema{Properties: jsonschema.NewProperties()}
	for i := range reflect.TypeFor[infraspec.Environment]().NumField() {
		key := reflect.TypeFor[infraspec.Environment]().Field(i).Tag.Get("yaml")
		if value, ok := environment.Properties.Get(key); ok {
			own.Properties.Set(key, value)
		}
	}
	return own
}

func table(out *bytes.Buffer, title string, s *jsonschema.Schema) {
	fmt.Fprintf(out, "## %s\n\n| key | type | default | meaning |\n|---|---|---|---|\n", title)
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		if ignoredPhrase.MatchString(p.Value.Description) {
			continue
		}
		fallback := ""
		if p.Value.Default != nil {
			fallback = fmt.Sprintf("`%v`", p.Value.Default)
		}
		if slices.Contains(s.Required, p.Key) {
			fallback = "required"
		}
		fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n",
			p.Key, cell(typeName(p.Value)), fallback, cell(meaning(p.Key, p.Value)))
	}
	out.WriteByte('\n')
}

// meaning returns a key's comment without its name.
func meaning(key string, s *jsonschema.Schema) string {
	return sentence(strings.TrimPrefix(s.Description, goName(key)+" "))
}

// goName returns the field name that a comment begins with: "Port is the port …".
func goName(key string) string {
	if key == "url" || key == "kv" || key == "tcp" || key == "tls" {
		return strings.ToUpper(key)
	}
	return strings.ToUpper(key[:1]) + key[1:]
}

// sentence drops the verb that followed the field name, and capitalizes the rest.
func sentence(text string) string {
	for _, verb := range []string{"is ", "are "} {
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
			if e != nil {
				words = append(words, fmt.Sprintf("`%v`", e))
			}
		}
		return strings.Join(words, ", ")
	}
	list, _ := s.Extras["type"].([]any)
	has := func(t string) bool { return slices.Contains(list, any(t)) }
	switch {
	case has("array") && has("string") && s.Items.Type == "string":
		return "name, or a list of names"
	case has("array") && has("string"):
		return "command line: a string for `/bin/sh -c`, or a list"
	case has("array") && has("object"):
		return "list of names, or a mapping"
	case has("array") && s.Items.Properties != nil:
		return "list of mappings"
	case has("array"):
		return "list of strings"
	case has("object") && has("string"):
		return "path, or a mapping"
	case has("object"):
		return "mapping"
	case has("number") && has("integer"):
		return "memory: `256m` (MiB) or `1Gi`"
	case has("integer") && has("string"):
		return "whole seconds, or a duration such as `5m`"
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

// rules returns the names and comments of the rules in rule.go.
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
					out = append(out, [2]string{name, strings.Join(strings.Fields(spec.Doc.Text()), " ")})
				}
			}
		}
		return true
	})
	return out, nil
}
