package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Commands print through package ui, which makes text from elsewhere harmless to terminals. Only package fmt's
// functions for strings and errors are allowed here.
func TestCommandsPrintThroughUI(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && writesToStream(call) {
				t.Errorf("%s: print with package ui", files.Position(call.Pos()))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// writesToStream reports whether call passes a standard stream to fmt.Fprint or io.WriteString.
func writesToStream(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 || !strings.HasPrefix(f.Sel.Name, "Fprint") && f.Sel.Name != "WriteString" {
		return false
	}
	stream, ok := call.Args[0].(*ast.SelectorExpr)
	return ok && (stream.Sel.Name == "Out" || stream.Sel.Name == "Err")
}
