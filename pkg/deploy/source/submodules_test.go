package source

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// commit commits all changes of a repository.
func commit(t *testing.T, dir string) {
	t.Helper()
	git(t, dir, "add", "-A")
	git(t, dir, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "more")
}

// withSubmodules returns the app's folder in a repository with three submodules in it and its top folder: one that is
// checked out, one with update = none, and one that is not in .gitmodules.
func withSubmodules(t *testing.T) (dir, top string) {
	t.Helper()
	for name, value := range map[string]string{
		"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always",
	} {
		t.Setenv(name, value)
	}
	dir, _ = repository(t)
	top = filepath.Dir(filepath.Dir(dir))
	library, _ := repository(t)
	library = filepath.Dir(filepath.Dir(library))
	git(t, top, "submodule", "--quiet", "add", library, "apps/shop/a \"library\"")
	git(t, top, "submodule", "--quiet", "add", "--name", "some.docs", library, "docs")
	git(t, top, "config", "--file", ".gitmodules", "submodule.some.docs.update", "none")
	for _, embedded := range []string{"apps/shop/embedded", "elsewhere"} {
		git(t, top, "clone", "--quiet", library, embedded)
		git(t, top, "-c", "advice.addEmbeddedRepo=false", "add", embedded)
	}
	commit(t, top)
	for _, path := range []string{"docs", "apps/shop/embedded", "elsewhere"} {
		if err := os.RemoveAll(filepath.Join(top, path)); err != nil {
			t.Fatal(err)
		}
	}
	return dir, top
}

// checkSubmodules checks the source of withSubmodules in a folder.
func checkSubmodules(t *testing.T, top string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(top, "apps", "shop", "a \"library\"", "apps", "shop", "file")); err != nil {
		t.Error(err)
	}
	for _, empty := range []string{"docs", "apps/shop/embedded", "elsewhere"} {
		if list, err := os.ReadDir(filepath.Join(top, empty)); len(list) > 0 {
			t.Errorf("%s has %v, %v; want nothing", empty, list, err)
		}
	}
}

const aboutEmbedded = "apps/shop/embedded is a git repository of its own without an entry in .gitmodules"

// A submodule that git leaves empty stays empty. norn warns about one without an entry in .gitmodules.
func TestFromCheckoutLeavesSubmodules(t *testing.T) {
	dir, top := withSubmodules(t)
	s, err := FromCheckout(t.Context(), dir, Selection{Ref: "HEAD"}, filepath.Join(t.TempDir(), "target"), nil)
	if err != nil || len(s.Warnings) != 1 || !strings.HasPrefix(s.Warnings[0], aboutEmbedded) {
		t.Fatalf("%+v, %v", s, err)
	}
	checkSubmodules(t, s.Copied)

	git(t, top, "config", "submodule.some.docs.update", "checkout")
	_, err = FromCheckout(t.Context(), dir, Selection{Ref: "HEAD"}, filepath.Join(t.TempDir(), "target"), nil)
	usage, ok := errors.AsType[*pipeline.UsageError](err)
	if !ok || !strings.Contains(usage.Problem, "submodule docs of") {
		t.Errorf("with the repository's own update = checkout: %v", err)
	}
}

func TestCloneLeavesSubmodules(t *testing.T) {
	_, top := withSubmodules(t)
	s, err := Clone(t.Context(), io.Discard, infraspec.Repo{URL: top}, Selection{}, t.TempDir())
	if err != nil || len(s.Warnings) != 2 || !strings.HasPrefix(s.Warnings[0], aboutEmbedded) {
		t.Fatalf("%+v, %v", s, err)
	}
	checkSubmodules(t, s.Dir)
	for _, dir := range []string{"", "apps/shop/a \"library\""} { // the builder would copy it into the image
		if _, err := os.Lstat(filepath.Join(s.Dir, dir, ".git")); err == nil {
			t.Errorf("the source of a clone has %s/.git", dir)
		}
	}
}
