package folder

import (
	"os"
	"path/filepath"
	"testing"
)

// A .gitignore that a full disk left empty ignores nothing. Whatever else the user wrote there stays.
func TestMakePrivate(t *testing.T) {
	for _, c := range []struct{ name, before, want string }{
		{"none", "", "*\n"}, {"empty", "\n", "*\n"}, {"whole", "*\n", "*\n"}, {"the user's own", "*.tmp\n", "*.tmp\n"},
	} {
		dir := filepath.Join(t.TempDir(), "snapshots")
		ignore := filepath.Join(dir, ".gitignore")
		if c.name != "none" {
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(ignore, []byte(c.before), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		err := MakePrivate(dir)
		got, readErr := os.ReadFile(ignore)
		if err != nil || readErr != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v, %v; want %q", c.name, got, err, readErr, c.want)
		}
	}
}
