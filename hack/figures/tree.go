package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// columns is the widest that a line may be.
const columns = 120

// skipped are the folders with other modules, or with data.
var skipped = []string{"devcluster", "peers", "testdata", "tools", "vendor"}

// figures are a tree's sizes.
type figures struct {
	files, lines, wide int
	functions          int
	median, p99        int // lines of a function, from func to its closing brace
	undocumented       int
	longestFile        sized
	longestFunction    sized
	largestInterface   sized
	packages           []sized // by number of files
}

// sized is the name of something that was measured.
type sized struct {
	size int
	name string
}

// String returns the size, and the name if there is one.
func (s sized) String() string {
	if s.name == "" {
		return ""
	}
	return fmt.Sprintf("%d %s", s.size, s.name)
}

// largestPackage returns the package with the i-th most files.
func (f figures) largestPackage(i int) sized {
	if i >= len(f.packages) {
		return sized{}
	}
	return f.packages[i]
}

// tree is what was read of the code of a source tree, or of its tests.
type tree struct {
	lines, wide, undocumented int
	files                     []sized
	functions                 []sized
	packages                  map[string]int // files by folder
	interfaces                interfaces
}

// read parses the Go files below dir.
func read(dir string) (code, tests *tree, err error) {
	module, err := modulePath(filepath.Join(dir, "go.mod"))
	if err != nil {
		return nil, nil, err
	}
	code = &tree{packages: map[string]int{}, interfaces: interfaces{module: module}}
	tests = &tree{packages: map[string]int{}, interfaces: interfaces{module: module}}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != dir && (slices.Contains(skipped, entry.Name()) || entry.Name()[0] == '.'):
			return fs.SkipDir
		case entry.IsDir(), filepath.Ext(path) != ".go":
			return nil
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "test/") {
			return tests.add(path, name)
		}
		return code.add(path, name)
	})
	return code, tests, err
}

// modulePath returns the path in a go.mod file.
func modulePath(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(line, "module "); ok {
			return strings.TrimSpace(path), nil
		}
	}
	return "", fmt.Errorf("%s names no module", file)
}

// add measures a file.
func (t *tree) add(path, name string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	lines := 0
	for line := range bytes.Lines(text) {
		lines++
		if utf8.RuneCount(bytes.TrimRight(line, "\r\n")) > columns {
			t.wide++
		}
	}
	folder := filepath.ToSlash(filepath.Dir(name))
	t.lines += lines
	t.files = append(t.files, sized{lines, name})
	t.packages[folder]++
	t.interfaces.add(folder, file)
	if file.Name.Name != "main" && !strings.HasSuffix(name, "_test.go") { // what no package can import
		t.undocumented += undocumented(file)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			first, last := set.Position(f.Pos()).Line, set.Position(f.End()).Line
			t.functions = append(t.functions, sized{last - first + 1, fmt.Sprintf("%s:%d", name, first)})
		}
	}
	return nil
}

// figures returns the sizes of what was added.
func (t *tree) figures() figures {
	bySize := func(a, b sized) int {
		if a.size != b.size {
			return b.size - a.size
		}
		return strings.Compare(a.name, b.name)
	}
	f := figures{
		files: len(t.files), lines: t.lines, wide: t.wide, undocumented: t.undocumented,
		functions: len(t.functions), largestInterface: t.interfaces.largest(),
	}
	for folder, files := range t.packages {
		f.packages = append(f.packages, sized{files, folder})
	}
	slices.SortFunc(f.packages, bySize)
	slices.SortFunc(t.functions, bySize)
	slices.SortFunc(t.files, bySize)
	if len(t.files) > 0 {
		f.longestFile = t.files[0]
	}
	if n := len(t.functions); n > 0 {
		f.longestFunction, f.median, f.p99 = t.functions[0], t.functions[n/2].size, t.functions[n/100].size
	}
	return f
}
