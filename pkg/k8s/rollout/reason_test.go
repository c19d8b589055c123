package rollout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// docs/troubleshooting.md has one section for each reason, in the order of reason.go, and no others.
func TestReasonsAreExplained(t *testing.T) {
	page, err := os.ReadFile("../../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "\n## Failure reasons\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var explained []string
	for _, m := range regexp.MustCompile("(?m)^### `?([^`\n]+)`?$").FindAllStringSubmatch(text, -1) {
		explained = append(explained, m[1])
	}
	if reasons := exportedReasons(t); !slices.Equal(explained, reasons) {
		t.Errorf("the page explains\n%q\nand the reasons are\n%q", explained, reasons)
	}
}

// exportedReasons returns the values of the exported constants of type Reason, in source order.
func exportedReasons(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			continue
		}
		for _, s := range decl.Specs {
			spec := s.(*ast.ValueSpec)
			if !spec.Names[0].IsExported() {
				continue
			}
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, value)
		}
	}
	return out
}
