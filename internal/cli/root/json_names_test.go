package root

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

	"norn/internal/cli"
	"norn/internal/cli/diff"
	"norn/internal/cli/doctor"
	"norn/internal/cli/initcmd"
	"norn/internal/cli/preview"
	"norn/internal/cli/secrets"
	"norn/internal/cli/snapshots"
	"norn/internal/cli/validate"
	"norn/internal/cli/version"
	"norn/internal/status"
	"norn/pkg/deploy"
	"norn/pkg/deploy/rollout"
	"norn/pkg/infraspec"
)

// documented is the part of docs/json.schema.json that the tests read.
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
	Ref        string                `json:"$ref"`
}

func readDocumented(t *testing.T) documented {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "json.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	// The tests do not read constants that are numbers, so replace them.
	data = regexp.MustCompile(`"const": \d+`).ReplaceAll(data, []byte(`"const": ""`))
	var d documented
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// parsed returns the files of a package, without its tests.
func parsed(t *testing.T, dir string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "..", dir, "*.go"))
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

// constants returns the values of a package's string constants of type typ, or untyped if typ is "", whose names
// match name.
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

// literal returns the text of the string literal at the beginning of an expression, or "".
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

// stepNames returns the names of a package's steps: in pipeline.Step literals, in the result of delivery, and in lines
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
				f, ok := n.Fun.(*ast.SelectorExpr)
				if ok && (f.Sel.Name == "Say" && len(n.Args) == 3 || f.Sel.Name == "RunOnce") {
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
	return slices.DeleteFunc(out, func(s string) bool { return !stepWord.MatchString(s) }) // other helpers take sentences
}

var stepWord = regexp.MustCompile(`^[A-Za-z]+$`)

// without returns list without word.
func without(list []string, word string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == word })
}

// same compares two lists as sets.
func same(t *testing.T, what string, schema, code []string) {
	t.Helper()
	schema, code = slices.Compact(slices.Sorted(slices.Values(schema))), slices.Compact(slices.Sorted(slices.Values(code)))
	if !slices.Equal(schema, code) {
		t.Errorf("%s: the schema has\n%q, the code has\n%q", what, schema, code)
	}
}

// The schema and the code use the same names.
func TestSchemaHasTheNames(t *testing.T) {
	d := readDocumented(t).Defs
	rollouts := without(constants(t, "pkg/k8s/rollout", "Reason", "."), "StillStarting")
	same(t, "rolloutReason", d["rolloutReason"].Enum, rollouts)
	same(t, "reasonCode", d["reasonCode"].Enum, slices.Concat(rollouts, constants(t, "internal/cli", "Reason", "^reason")))
	same(t, "state", d["state"].Enum, constants(t, "pkg/pipeline", "State", "."))
	outcomes := []string{cli.ExitedName, cli.DiffersName}
	for _, e := range cli.Exits() {
		outcomes = append(outcomes, e.Name)
	}
	same(t, "outcome", d["outcome"].Enum, outcomes)
	same(t, "app's state", d["app"].Properties["state"].Enum, constants(t, "internal/status", "State", "."))
	same(t, "rule", d["finding"].Properties["rule"].Enum, constants(t, "pkg/infraspec", "Rule", "^Rule"))
	same(t, "severity", d["finding"].Properties["severity"].Enum, constants(t, "pkg/infraspec", "Severity", "."))
	same(t, "shape", d["secretName"].Properties["file"].Enum,
		append(constants(t, "pkg/secrets", "Shape", "."), "missing", "reference"))
	kinds := []string{}
	for _, k := range []string{"begin", "end"} {
		kinds = append(kinds, d[k].Properties["event"].Const)
	}
	for _, k := range constants(t, "pkg/pipeline", "Kind", ".") {
		kinds = append(kinds, d[k].Properties["event"].Const)
	}
	same(t, "event", kinds, append(constants(t, "pkg/pipeline", "Kind", "."), "begin", "end"))

	objects := strings.Split(strings.Trim(strings.TrimSuffix(d["stepObject"].Pattern, ")( .+)?$"), "^("), "|")
	var steps []string
	for _, dir := range []string{"pkg/deploy", "pkg/forge", "internal/cli/run", "internal/cli/invoke"} {
		steps = append(steps, stepNames(t, dir)...)
	}
	made := without(constants(t, "pkg/forge/objects", "", "^Kind"), "ConfigMap") // the ConfigMap's step is named Tunnel
	same(t, "step", slices.Concat(d["stepWord"].Enum, objects), append(steps, made...))
}

// The schema and the type of each object have the same fields. Fields without omitempty are required.
func TestSchemaHasTheFields(t *testing.T) {
	d := readDocumented(t).Defs
	for name, value := range map[string]any{
		"app":            status.App{},
		"asked":          cli.Connection{},
		"build":          version.Build{},
		"change":         diff.Change{},
		"checked":        validate.Checked{},
		"detail":         status.Detail{},
		"diagnosis":      doctor.Diagnosis{},
		"failure":        rollout.Failure{},
		"finding":        infraspec.Finding{},
		"preview":        preview.Listed{},
		"process":        status.Process{},
		"revision":       deploy.Entry{},
		"scaffolded":     initcmd.Written{},
		"schedule":       status.Schedule{},
		"secretName":     status.SecretName{},
		"secretsChanged": secrets.Changed{},
		"secretsReady":   secrets.Ready{},
		"secretsRotated": secrets.Rotated{},
		"snapshot":       snapshots.Listed{},
		"statusPod":      status.Pod{},
		"statusRevision": status.Revision{},
	} {
		fields(t, name, d[name], reflect.TypeOf(value))
	}
}

// notRedacted lists the words of norn's own for which the schema has no enum.
var notRedacted = []string{"app.role", "detail.role", "process.role", "change.kind", "diagnosis.checks.name"}

// fields compares the JSON fields of a type, and of its nested structs, with a definition.
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
		own := len(sub.Enum) > 0 || strings.HasSuffix(sub.Ref, "Reason") || slices.Contains(notRedacted, name+"."+key)
		if tagged := f.Tag.Get("redact") == "-"; tagged != own {
			t.Errorf("%s.%s: the tag redact:\"-\" is %v, want %v", name, key, tagged, own)
		}
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
