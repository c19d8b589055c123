package infraspec

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// At the top of a monorepo, the error names the folders of its apps.
func TestLocateNamesAppsBelow(t *testing.T) {
	here := filepath.Join(t.TempDir(), "a [mono] repository")
	add := func(folders ...string) {
		for _, folder := range folders {
			dir := filepath.Join(here, folder)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, FileName), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	hint := func() string {
		_, err := Locate("", here, "/nosuch")
		var missing *NotFoundError
		if !errors.As(err, &missing) {
			t.Fatalf("error %v, want a NotFoundError", err)
		}
		return missing.Hint()
	}
	add(".cache", "apps/.old", "apps/beta/deep")
	if got := hint(); !strings.HasPrefix(got, "change to the app's folder") {
		t.Error(got)
	}
	add("alpha", "apps/beta")
	if got, want := hint(), "pass the folder of an app: ./alpha, ./apps/beta"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	add("apps/c", "apps/d", "apps/e", "apps/f", "apps/g")
	if got, want := hint(), "./apps/c, ./apps/d, ./apps/e and 2 more"; !strings.HasSuffix(got, want) {
		t.Errorf("%q, want it to end in %q", got, want)
	}
}
