package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// norn run passes pipes and files. It reads neither a terminal nor a device, and a closed file is not an error.
func TestInput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(path, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(path string) *os.File {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	pipe, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = pipe.Close(), w.Close() }()
	closed := open(path)
	_ = closed.Close()
	for name, c := range map[string]struct {
		in   *os.File
		want bool
	}{
		"null": {open(os.DevNull), false}, "closed": {closed, false}, "none": {nil, false},
		"file": {open(path), true}, "pipe": {pipe, true},
	} {
		if got := input(c.in); (got != nil) != c.want {
			t.Errorf("%s: got %v, want input: %t", name, got, c.want)
		}
	}
	if input(strings.NewReader("x")) != nil {
		t.Error("a reader that is not a file is passed")
	}
}
