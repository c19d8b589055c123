package source

import (
	"os"
	"path/filepath"
	"testing"

	"norn/internal/command"
)

func TestChangedSince(t *testing.T) {
	top := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		if err := command.Git(t.Context(), command.Options{Dir: top}, args...); err != nil {
			t.Fatal(err)
		}
	}
	write := func(path string) {
		t.Helper()
		path = filepath.Join(top, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	changed := func(app, context, ref string) bool {
		t.Helper()
		got, err := ChangedSince(t.Context(), filepath.Join(top, app), context, ref)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	t.Setenv("GIT_AUTHOR_NAME", "a")
	t.Setenv("GIT_AUTHOR_EMAIL", "a@example.com")
	t.Setenv("GIT_COMMITTER_NAME", "a")
	t.Setenv("GIT_COMMITTER_EMAIL", "a@example.com")
	write("shop/main.go")
	write("blog/main.go")
	write("lib/lib.go")
	git("init", "--quiet")
	git("add", ".")
	git("commit", "--quiet", "--message", "one")
	if changed("shop", ".", "HEAD") || changed("shop", "..", "HEAD") {
		t.Error("changed without a change")
	}
	write("blog/new.go")
	if changed("shop", ".", "HEAD") || !changed("shop", "..", "HEAD") || !changed("blog", ".", "HEAD") {
		t.Error("a new file counts in its own folder and in a build context around it")
	}
	git("add", ".")
	git("commit", "--quiet", "--message", "two")
	if changed("blog", ".", "HEAD") || !changed("blog", ".", "HEAD~1") || changed("shop", ".", "HEAD~1") {
		t.Error("a commit counts for the app whose files it changes")
	}
	if _, err := ChangedSince(t.Context(), filepath.Join(top, "shop"), ".", "nosuch"); err == nil {
		t.Error("an unknown ref is no error")
	}
}
