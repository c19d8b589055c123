package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The same files give the same bytes, whenever and wherever they were written.
func TestSameFilesSameBytes(t *testing.T) {
	for _, name := range []string{"a.tar.gz", "a.zip"} {
		var archives [2][]byte
		for i := range archives {
			dir := t.TempDir()
			folder := filepath.Join(dir, "norn")
			if err := os.MkdirAll(filepath.Join(folder, "man"), os.FileMode(0o700+i*0o055)); err != nil {
				t.Fatal(err)
			}
			for file, mode := range map[string]os.FileMode{"norn": 0o755, "README.md": 0o644, "man/norn.1": 0o600} {
				path := filepath.Join(folder, file)
				if err := os.WriteFile(path, []byte(file), mode); err != nil {
					t.Fatal(err)
				}
				at := time.Unix(1000000000+int64(i)*86400, 0)
				if err := os.Chtimes(path, at, at); err != nil {
					t.Fatal(err)
				}
			}
			out := filepath.Join(dir, name)
			if err := run([]string{out, folder}, "1767323045"); err != nil {
				t.Fatal(err)
			}
			var err error
			if archives[i], err = os.ReadFile(out); err != nil {
				t.Fatal(err)
			}
		}
		if len(archives[0]) == 0 || !bytes.Equal(archives[0], archives[1]) {
			t.Errorf("%s: the bytes differ", name)
		}
	}
}

// Invalid arguments are errors.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args  []string
		epoch string
	}{
		{nil, "0"},
		{[]string{filepath.Join(dir, "a.zip"), dir}, ""},
		{[]string{filepath.Join(dir, "nosuch", "a.zip"), dir}, "0"},
		{[]string{filepath.Join(dir, "a.tar.gz"), filepath.Join(dir, "nosuch")}, "0"},
	} {
		if run(c.args, c.epoch) == nil {
			t.Errorf("%v, %q: no error", c.args, c.epoch)
		}
	}
}
