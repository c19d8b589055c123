package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// fixture has one of everything that is measured. The folders that are skipped would change every figure.
const fixture = `
-- go.mod --
module example.com/x

go 1.26
-- devcluster/skipped.go --
package skipped

func Undocumented() {
}
-- pkg/a/a.go --
// Package a is measured.
package a

import "example.com/x/pkg/b"

// Documented has a comment.
type Documented struct{}

type Undocumented interface {
	one()
	two()
	b.Embedded
}

func (Documented) String() string { return "" }

func (Documented) Method() {}

// The group's comment is enough.
const (
	First  = 1
	Second = 2
)

var Third = 3 // Third has its comment at the end of the line.

var Fourth = 4

// long has seven lines.
func long() {
	_ = 1
	_ = 2

	// a comment
	_ = 3
}
-- pkg/a/more.go --
package a

// wide has a line of 121 columns, of which ü is one.
const wide = "WIDE"
-- pkg/b/b.go --
package b

// Embedded shares one method with those that embed it.
type Embedded interface {
	two()
	three()
}
-- main.go --
package main

func Exported() {}

func main() {}
-- pkg/a/a_test.go --
package a

func TestNothing() {
	_ = 1
	_ = 2
}
-- test/bed/bed.go --
package bed

func Bed() {}
`

// unpack writes the fixture into a folder.
func unpack(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	const head = `const wide = ""`
	wide := "ü" + strings.Repeat("w", 121-len(head)-1)
	for _, file := range txtar.Parse([]byte(strings.ReplaceAll(fixture, "WIDE", wide))).Files {
		path := filepath.Join(dir, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFigures(t *testing.T) {
	c, err := measure("now=" + unpack(t))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := write(&text, []column{c}); err != nil {
		t.Fatal(err)
	}
	want := strings.TrimPrefix(`
| Code                                 | now                  |
| ------------------------------------ | -------------------- |
| files                                | 4                    |
| lines                                | 52                   |
| lines over 120 columns               | 1                    |
| longest file                         | 36 pkg/a/a.go        |
| functions                            | 5                    |
| lines of a function, median          | 1                    |
| lines of a function, 99th percentile | 7                    |
| longest function                     | 7 pkg/a/a.go:30      |
| largest interface, methods           | 3 pkg/a.Undocumented |
| exported names without documentation | 3                    |
| packages                             | 3                    |
| package with most files, 1           | 2 pkg/a              |
| package with most files, 2           | 1 .                  |
| package with most files, 3           | 1 pkg/b              |
`, "\n")
	if got := text.String(); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if c.tests.files != 2 || c.tests.functions != 2 || c.tests.longestFunction.String() != "4 pkg/a/a_test.go:3" {
		t.Errorf("tests: %+v", c.tests)
	}
}

func TestTwoTrees(t *testing.T) {
	dir := unpack(t)
	first, err := measure("before=" + dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := measure(dir)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := write(&text, []column{first, second}); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(text.String(), "\n")
	if !strings.Contains(head, "before") || !strings.Contains(head, filepath.Base(dir)) {
		t.Errorf("the head of the table is %s", head)
	}
}

func TestNoModule(t *testing.T) {
	if _, err := measure(t.TempDir()); err == nil {
		t.Error("a folder without go.mod was measured")
	}
}
