package source

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"norn/pkg/pipeline"
)

// repository creates a git repository with two commits of an app in a subfolder. It returns that folder and the
// commits.
func repository(t *testing.T) (dir string, commits []string) {
	t.Helper()
	top := t.TempDir()
	dir = filepath.Join(top, "apps", "shop")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	git(t, top, "init", "-q")
	for _, text := range []string{"one", "two"} {
		write(t, filepath.Join(dir, "file"), text)
		git(t, top, "add", "-A")
		git(t, top, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", text)
		commits = append(commits, git(t, top, "rev-parse", "HEAD"))
	}
	return dir, commits
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, s Tree) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.Dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFromCheckoutRef(t *testing.T) {
	dir, commits := repository(t)
	write(t, filepath.Join(dir, "file"), "uncommitted")
	before := git(t, dir, "status", "--porcelain")
	s, err := FromCheckout(t.Context(), dir, commits[0][:8], filepath.Join(t.TempDir(), "target"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Commit != commits[0] || s.Dirty || content(t, s) != "one" || s.Number != "1" {
		t.Errorf("%+v with %q", s, content(t, s))
	}
	if after := git(t, dir, "status", "--porcelain"); after != before {
		t.Errorf("the checkout was touched: %q, before %q", after, before)
	}
}

func TestFromCheckoutWithoutRef(t *testing.T) {
	dir, commits := repository(t)
	s, err := FromCheckout(t.Context(), dir, "", filepath.Join(t.TempDir(), "target"))
	if err != nil || s.Dirty || s.Tag() != commits[1][:12] || content(t, s) != "two" {
		t.Fatalf("%+v, error %v", s, err)
	}
	write(t, filepath.Join(dir, "file"), "uncommitted")
	s, err = FromCheckout(t.Context(), dir, "", filepath.Join(t.TempDir(), "target"))
	if err != nil || !s.Dirty || s.Tag() != commits[1][:12]+"-dirty" || content(t, s) != "uncommitted" {
		t.Fatalf("%+v, error %v", s, err)
	}
}

func TestFromCheckoutRejects(t *testing.T) {
	dir, _ := repository(t)
	var usage *pipeline.UsageError
	_, err := FromCheckout(t.Context(), dir, "nosuch", t.TempDir())
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), `no commit "nosuch"`) {
		t.Errorf("error %v for an unknown ref", err)
	}
	if _, err := FromCheckout(t.Context(), dir, "--output=x", t.TempDir()); !errors.As(err, &usage) {
		t.Errorf("error %v for a ref that looks like a flag", err)
	}
	_, err = FromCheckout(t.Context(), t.TempDir(), "", t.TempDir())
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), "not in a git repository") {
		t.Errorf("error %v outside of a repository", err)
	}
}
