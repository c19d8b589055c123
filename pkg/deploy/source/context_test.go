package source

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"norn/pkg/pipeline"
)

// The build context is a folder of the repository, and nothing outside.
func TestContext(t *testing.T) {
	top := t.TempDir()
	for _, dir := range []string{"apps/shop/src", "lib"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(top, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"apps/shop/out": "/", "apps/shop/lib": "../../lib"} {
		if err := os.Symlink(to, filepath.Join(top, link)); err != nil {
			t.Fatal(err)
		}
	}
	tree := Tree{Dir: filepath.Join(top, "apps/shop"), Copied: top}
	for folder, want := range map[string]string{
		".": "apps/shop", "src": "apps/shop/src", "../..": ".", "..": "apps", "../../lib": "lib", "lib": "apps/shop/lib",
		"../../..": "", "out": "", "../../file": "", "nosuch": "",
	} {
		got, err := tree.Context(folder)
		if want == "" {
			if _, usage := errors.AsType[*pipeline.UsageError](err); !usage {
				t.Errorf("%s: %q, %v", folder, got, err)
			}
			continue
		}
		if err != nil || got != filepath.Join(top, want) {
			t.Errorf("%s: %q, want %q; %v", folder, got, want, err)
		}
	}
}

// Records of other apps, which the build context may contain, are left out too.
func TestOmits(t *testing.T) {
	record := func(path string) bool { return path == "snapshots/dump" }
	for path, want := range map[string]bool{
		"apps/shop/snapshots/dump": true, "apps/shop/data/snapshots/dump": false, "apps/blog/snapshots/dump": true,
		"snapshots/dump": true, "lib/x": false,
	} {
		if omits(path, "apps/shop/", record) != want {
			t.Errorf("%s: want %t", path, want)
		}
	}
	if omits("a/snapshots/dump", "", record) {
		t.Error("at the top of the repository, another folder's file is omitted")
	}
}
