package source

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"norn/pkg/infraspec"
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
	s, err := FromCheckout(t.Context(), dir, Selection{Ref: commits[0][:8]}, filepath.Join(t.TempDir(), "target"), nil)
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
	s, err := FromCheckout(t.Context(), dir, Selection{}, filepath.Join(t.TempDir(), "target"), nil)
	if err != nil || s.Dirty || s.Tag() != commits[1][:12] || content(t, s) != "two" {
		t.Fatalf("%+v, error %v", s, err)
	}
	write(t, filepath.Join(dir, "file"), "uncommitted")
	s, err = FromCheckout(t.Context(), dir, Selection{}, filepath.Join(t.TempDir(), "target"), nil)
	if err != nil || !s.Dirty || s.Tag() != commits[1][:12]+"-dirty" || content(t, s) != "uncommitted" {
		t.Fatalf("%+v, error %v", s, err)
	}
}

func TestFromCheckoutRejects(t *testing.T) {
	dir, _ := repository(t)
	var usage *pipeline.UsageError
	_, err := FromCheckout(t.Context(), dir, Selection{Ref: "nosuch"}, t.TempDir(), nil)
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), `no commit "nosuch"`) {
		t.Errorf("error %v for an unknown ref", err)
	}
	if _, err := FromCheckout(t.Context(), dir, Selection{Ref: "--output=x"}, t.TempDir(), nil); !errors.As(err, &usage) {
		t.Errorf("error %v for a ref that looks like a flag", err)
	}
	_, err = FromCheckout(t.Context(), t.TempDir(), Selection{}, t.TempDir(), nil)
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), "not in a git repository") {
		t.Errorf("error %v outside of a repository", err)
	}
}

// A folder's name can end in white space.
func TestFromCheckoutAwkwardFolder(t *testing.T) {
	top := filepath.Join(t.TempDir(), "white space ")
	dir := filepath.Join(top, "new\nline ")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	git(t, top, "init", "-q")
	write(t, filepath.Join(dir, "file"), "one")
	commit(t, top)
	s, err := FromCheckout(t.Context(), dir, Selection{}, filepath.Join(t.TempDir(), "target"), nil)
	if err != nil || content(t, s) != "one" {
		t.Errorf("%+v, %v", s, err)
	}
}

// If a tag and a branch have the same name, git chooses the tag, and norn warns.
func TestAmbiguousRef(t *testing.T) {
	dir, commits := repository(t)
	git(t, dir, "branch", "v1", commits[0])
	git(t, dir, "-c", "user.name=t", "-c", "user.email=t@localhost", "tag", "-a", "-m", "x", "v1", commits[1])
	git(t, dir, "tag", "same", commits[1])
	git(t, dir, "branch", "same", commits[1])
	for ref, want := range map[string]struct{ commit, warning string }{
		"v1":       {commits[1], "v1 is both a tag and a branch; norn ships the tag; to ship the branch, pass heads/v1"},
		"heads/v1": {commits[0], ""}, "tags/v1": {commits[1], ""}, "same": {commits[1], ""}, "v1~1": {commits[0], ""},
	} {
		s, err := FromCheckout(t.Context(), dir, Selection{Ref: ref}, filepath.Join(t.TempDir(), "target"), nil)
		if err != nil || s.Commit != want.commit || strings.Join(s.Warnings, "|") != want.warning {
			t.Errorf("%s: %+v, %v", ref, s, err)
		}
	}
	repo := infraspec.Repo{URL: filepath.Dir(filepath.Dir(dir)), Branch: "v1"}
	if s, err := Clone(t.Context(), t.Output(), repo, Selection{}, t.TempDir()); err != nil || s.Commit != commits[0] {
		t.Errorf("repo.branch: %+v, %v", s, err)
	}
}

// The build number of a shallow clone is too low.
func TestShallow(t *testing.T) {
	dir, _ := repository(t)
	shallow := filepath.Join(t.TempDir(), "shallow")
	git(t, dir, "clone", "--quiet", "--depth=1", "file://"+filepath.Dir(filepath.Dir(dir)), shallow)
	for path, want := range map[string]bool{dir: false, shallow: true} {
		s, err := FromCheckout(t.Context(), path, Selection{}, filepath.Join(t.TempDir(), "target"), nil)
		if err != nil || s.Shallow != want {
			t.Errorf("%s: %+v, %v", path, s, err)
		}
	}
}

// The user's configuration does not change what norn reads from git.
func TestUserConfiguration(t *testing.T) {
	dir, commits := repository(t)
	config := filepath.Join(t.TempDir(), "config")
	write(t, config, "[log]\nshowSignature = true\ndate = relative\n[color]\nui = always\n[status]\nshort = true\n")
	t.Setenv("GIT_CONFIG_GLOBAL", config)
	s, err := FromCheckout(t.Context(), dir, Selection{Ref: "HEAD"}, filepath.Join(t.TempDir(), "target"), nil)
	if err != nil || s.Commit != commits[1] || strings.Trim(s.Time, "0123456789") != "" || len(s.Time) < 10 {
		t.Errorf("%+v, %v", s, err)
	}
}

// A commit that changes other files than an app's has the time of the last one that did, so its image has the same
// digest. A repository without the earlier commit, and a folder without one, have the commit's own time.
func TestTimeOfContent(t *testing.T) {
	dir, _ := repository(t)
	top := filepath.Dir(filepath.Dir(dir))
	commit := func(path, at string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(top, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(top, path), at)
		git(t, top, "add", "-A")
		t.Setenv("GIT_COMMITTER_DATE", at+" +0000")
		git(t, top, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", path)
	}
	commit("apps/shop/file", "1000000000")
	commit("lib/file", "1100000000")
	commit("readme", "1200000000")
	clone := filepath.Join(t.TempDir(), "clone")
	git(t, top, "clone", "--quiet", "--depth=1", "file://"+top, clone)
	empty := filepath.Join(top, "apps", "new")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, context, want string }{
		{dir, "", "1000000000"},
		{dir, "../..", "1200000000"},
		{dir, "../../lib", "1100000000"},
		{top, "", "1200000000"},
		{filepath.Join(clone, "apps", "shop"), "", "1200000000"},
		{empty, "", "1200000000"},
	} {
		v := Selection{Ref: "HEAD", Context: c.context}
		s, err := FromCheckout(t.Context(), c.dir, v, filepath.Join(t.TempDir(), "target"), nil)
		if err != nil || s.Time != c.want {
			t.Errorf("%s with context %q: time %s, want %s, error %v", c.dir, c.context, s.Time, c.want, err)
		}
	}
	s, err := Clone(t.Context(), os.Stderr, infraspec.Repo{URL: "file://" + top}, Selection{}, t.TempDir())
	if err != nil || s.Time != "1200000000" {
		t.Errorf("clone: time %s, error %v", s.Time, err)
	}
}
