package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"norn/internal/status"
	"norn/pkg/deploy"
	"norn/pkg/deploy/rollout"
	"norn/pkg/infraspec"
)

// documented is docs/json.schema.json as far as the tests look into it.
type documented struct {
	Defs map[string]definition `json:"$defs"`
}

type definition struct {
	Enum       []string              `json:"enum"`
	Pattern    string                `json:"pattern"`
	Properties map[string]definition `json:"properties"`
	Required   []string              `json:"required"`
	Items      *definition           `json:"items"`
	Const      string                `json:"const"`
}

func readDocumented(t *testing.T) documented {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "json.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	// A const may be a number: those are not looked at here.
	data = regexp.MustCompile(`"const": \d+`).ReplaceAll(data, []byte(`"const": ""`))
	var d documented
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// parsed is a package's files without its tests.
func parsed(t *testing.T, dir string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v", dir, err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// constants are the values of a package's string constants whose name fits, of a type, or of none where typ is "".
func constants(t *testing.T, dir, typ, name string) []string {
	t.Helper()
	fits := regexp.MustCompile(name)
	var out []string
	for _, file := range parsed(t, dir) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !fits.MatchString(spec.Names[0].Name) || len(spec.Values) != 1 {
				return true
			}
			of := ""
			switch t := spec.Type.(type) {
			case *ast.Ident:
				of = t.Name
			case *ast.SelectorExpr:
				of = t.Sel.Name
			}
			if s := literal(spec.Values[0]); of == typ && s != "" {
				out = append(out, s)
			}
			return true
		})
	}
	return out
}

// literal is the text of a string literal, or of the one that an expression begins with; "" where it begins with something else.
func literal(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, _ := strconv.Unquote(e.Value)
		return strings.TrimSpace(s)
	case *ast.BinaryExpr:
		return literal(e.X)
	case *ast.CallExpr:
		if sel, ok := e.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "TrimSpace" {
			return literal(e.Args[0])
		}
	}
	return ""
}

// stepNames returns the names of a package's steps: in pipeline.Step literals, in what delivery returns, and in lines
// that belong to no step.
func stepNames(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	for _, file := range parsed(t, dir) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				fields := map[string]ast.Expr{}
				for _, e := range n.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok {
						if key, ok := kv.Key.(*ast.Ident); ok {
							fields[key.Name] = kv.Value
						}
					}
				}
				if fields["Name"] != nil && (fields["Run"] != nil || fields["Plan"] != nil) {
					out = append(out, literal(fields["Name"]))
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Say" && len(n.Args) == 3 || f.Sel.Name == "runOnce") {
					out = append(out, literal(n.Args[1]))
				}
			case *ast.FuncDecl:
				if n.Name.Name == "delivery" {
					ast.Inspect(n, func(n ast.Node) bool {
						if r, ok := n.(*ast.ReturnStmt); ok {
							out = append(out, literal(r.Results[0]))
						}
						return true
					})
				}
			}
			return true
		})
	}
	return slices.DeleteFunc(out, func(s string) bool { return !stepWord.MatchString(s) }) // other helpers say sentences
}

var stepWord = regexp.MustCompile(`^[A-Za-z]+$`)

// same compares as sets.
func same(t *testing.T, what string, schema, code []string) {
	t.Helper()
	schema, code = slices.Compact(slices.Sorted(slices.Values(schema))), slices.Compact(slices.Sorted(slices.Values(code)))
	if !slices.Equal(schema, code) {
		t.Errorf("%s: the schema has\n%q, the code has\n%q", what, schema, code)
	}
}

// The names that scripts go by are the code's, no fewer and no more.
func TestSchemaHasTheCodesNames(t *testing.T) {
	d := readDocumented(t).Defs
	rollouts := slices.DeleteFunc(constants(t, "pkg/k8s/rollout", "Reason", "."), func(s string) bool { return s == "StillStarting" })
	same(t, "rolloutReason", d["rolloutReason"].Enum, rollouts)
	same(t, "reasonCode", d["reasonCode"].Enum, slices.Concat(rollouts, constants(t, "cmd/norn", "Reason", "^reason")))
	same(t, "state", d["state"].Enum, constants(t, "pkg/pipeline", "State", "."))
	outcomes := []string{exitedName, differsName}
	for _, e := range exitCodes() {
		outcomes = append(outcomes, e.name)
	}
	same(t, "outcome", d["outcome"].Enum, outcomes)
	same(t, "app's state", d["app"].Properties["state"].Enum, constants(t, "internal/status", "State", "."))
	same(t, "rule", d["finding"].Properties["rule"].Enum, constants(t, "pkg/infraspec", "Rule", "^Rule"))
	same(t, "severity", d["finding"].Properties["severity"].Enum, constants(t, "pkg/infraspec", "Severity", "."))
	same(t, "shape", d["secretName"].Properties["file"].Enum, append(constants(t, "pkg/secrets", "Shape", "."), "missing"))
	kinds := []string{}
	for _, k := range []string{"begin", "end"} {
		kinds = append(kinds, d[k].Properties["event"].Const)
	}
	for _, k := range constants(t, "pkg/pipeline", "Kind", ".") {
		kinds = append(kinds, d[k].Properties["event"].Const)
	}
	same(t, "event", kinds, append(constants(t, "pkg/pipeline", "Kind", "."), "begin", "end"))

	objects := strings.Split(strings.Trim(strings.TrimSuffix(d["stepObject"].Pattern, ")( .+)?$"), "^("), "|")
	steps := slices.Concat(stepNames(t, "pkg/deploy"), stepNames(t, "pkg/forge"), stepNames(t, "cmd/norn"))
	made := slices.DeleteFunc(constants(t, "pkg/forge/objects", "", "^Kind"), func(s string) bool { return s == "ConfigMap" }) // which is told as Tunnel
	same(t, "step", slices.Concat(d["stepWord"].Enum, objects), append(steps, made...))
}

// The fields of each object are those of the type that is written, and those are required that are always there.
func TestSchemaHasTheCodesFields(t *testing.T) {
	d := readDocumented(t).Defs
	for name, value := range map[string]any{
		"finding": infraspec.Finding{}, "failure": rollout.Failure{}, "revision": deploy.Entry{}, "app": status.App{}, "detail": status.Detail{},
		"secretName": status.SecretName{}, "snapshot": namedSnapshot{}, "change": objectChange{}, "asked": asked{}, "checked": checked{},
		"scaffolded": scaffolded{}, "secretsChanged": secretsChanged{}, "secretsRotated": secretsRotated{}, "secretsReady": secretsReady{}, "build": build{}, "diagnosis": diagnosis{},
	} {
		fields(t, name, d[name], reflect.TypeOf(value))
	}
}

// fields compares a type's JSON fields with a definition, and those of the structs inside it.
func fields(t *testing.T, name string, d definition, typ reflect.Type) {
	t.Helper()
	var all, always []string
	for _, f := range reflect.VisibleFields(typ) {
		key, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || !f.IsExported() || key == "-" {
			continue
		}
		all = append(all, key)
		if option != "omitempty" {
			always = append(always, key)
		}
		inner, sub := f.Type, d.Properties[key]
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if sub.Items != nil {
			sub = *sub.Items
		}
		if inner.Kind() == reflect.Struct && len(sub.Properties) > 0 {
			fields(t, name+"."+key, sub, inner)
		}
	}
	same(t, name, slices.Collect(maps.Keys(d.Properties)), all)
	same(t, name+", required", d.Required, always)
}
