package run

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// norn run warns about input that the command does not get, and about nothing else.
func TestHasInput(t *testing.T) {
	file := func(text string, skip int64) *os.File {
		path := filepath.Join(t.TempDir(), "in")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err == nil {
			_, err = f.Seek(skip, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	pipe := func(text string) *os.File {
		r, w, err := os.Pipe()
		if err == nil {
			_, err = w.WriteString(text)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = r.Close(), w.Close() })
		return r
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	for name, c := range map[string]struct {
		in   *os.File
		want bool
	}{
		"null": {null, false}, "empty file": {file("", 0), false}, "read file": {file("x\n", 2), false},
		"file": {file("x\n", 0), true}, "empty pipe": {pipe(""), false}, "pipe": {pipe("x\n"), runtime.GOOS == "linux"},
	} {
		if got := hasInput(c.in); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
	if hasInput(strings.NewReader("x")) {
		t.Error("a reader that is not a file has input")
	}
}
