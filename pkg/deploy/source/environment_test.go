package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"norn/pkg/infraspec"
)

// recordScript writes the environment that git gives to a hook or an alias into a file.
func recordScript(file string) string { return "env -0 >'" + file + "'" }

// adopt sets the recorded variables of git.
func adopt(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for kv := range strings.SplitSeq(string(data), "\x00") {
		if name, value, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(name, "GIT_") {
			t.Setenv(name, value)
		}
	}
	if os.Getenv("GIT_DIR") == "" {
		t.Fatal("git did not set GIT_DIR")
	}
}

// postReceive returns what git sets for a post-receive hook of a bare repository that receives another repository.
func postReceive(t *testing.T) string {
	t.Helper()
	other, _ := repository(t)
	bare, file := t.TempDir(), filepath.Join(t.TempDir(), "environment")
	git(t, bare, "init", "-q", "--bare")
	hook := filepath.Join(bare, "hooks", "post-receive")
	write(t, hook, "#!/bin/sh\n"+recordScript(file)+"\n")
	if err := os.Chmod(hook, 0o755); err != nil {
		t.Fatal(err)
	}
	git(t, other, "push", "-q", bare, "HEAD:refs/heads/main")
	return file
}

// linkedWorktree adds a worktree to dir's repository. It returns the app's folder in it, and what git sets there for an
// alias.
func linkedWorktree(t *testing.T, dir string) (string, string) {
	t.Helper()
	linked, file := filepath.Join(t.TempDir(), "linked"), filepath.Join(t.TempDir(), "environment")
	git(t, dir, "worktree", "add", "-q", "--detach", linked)
	app := filepath.Join(linked, "apps", "shop")
	git(t, app, "-c", "alias.ship=!"+recordScript(file), "ship")
	return app, file
}

// The version comes from the repository that contains the app, even if git's environment names another one.
func TestFromCheckoutInHookOrAlias(t *testing.T) {
	set := func(variables map[string]string) func(*testing.T, string) string {
		return func(t *testing.T, dir string) string {
			t.Helper()
			for name, value := range variables {
				t.Setenv(name, value)
			}
			return dir
		}
	}
	other, _ := repository(t)
	otherTop := filepath.Dir(filepath.Dir(other))
	gitDir := filepath.Join(otherTop, ".git")
	for name, prepare := range map[string]func(t *testing.T, dir string) string{
		"GIT_DIR":       set(map[string]string{"GIT_DIR": gitDir}),
		"GIT_WORK_TREE": set(map[string]string{"GIT_DIR": gitDir, "GIT_WORK_TREE": otherTop}),
		"GIT_INDEX_FILE": set(map[string]string{
			"GIT_INDEX_FILE": filepath.Join(gitDir, "index"), "GIT_OBJECT_DIRECTORY": filepath.Join(gitDir, "objects"),
		}),
		"post-receive hook": func(t *testing.T, dir string) string {
			t.Helper()
			adopt(t, postReceive(t))
			return dir
		},
		"alias in a linked worktree": func(t *testing.T, dir string) string {
			t.Helper()
			app, file := linkedWorktree(t, dir)
			adopt(t, file)
			return app
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, commits := repository(t)
			write(t, filepath.Join(dir, "file"), "three")
			git(t, dir, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qam", "three")
			commits = append(commits, git(t, dir, "rev-parse", "HEAD"))
			dir = prepare(t, dir)
			for _, c := range []struct{ ref, commit, text string }{
				{"", commits[2], "three"}, {"HEAD", commits[2], "three"}, {"HEAD~1", commits[1], "two"},
			} {
				s, err := FromCheckout(t.Context(), dir, Selection{Ref: c.ref}, filepath.Join(t.TempDir(), "target"), nil)
				if err != nil || s.Commit != c.commit || s.Dirty || content(t, s) != c.text {
					t.Errorf("ref %q: %+v, %v", c.ref, s, err)
				}
			}
		})
	}
}

// In a hook, git forbids changes of refs. norn's clone must not inherit that.
func TestCloneInHook(t *testing.T) {
	address, commits := gitServer(t)
	other, _ := repository(t)
	gitDir := filepath.Join(filepath.Dir(filepath.Dir(other)), ".git")
	for name, value := range map[string]string{
		"GIT_DIR": gitDir, "GIT_QUARANTINE_PATH": filepath.Join(gitDir, "objects", "incoming"), "GIT_NAMESPACE": "other",
	} {
		t.Setenv(name, value)
	}
	repo := infraspec.Repo{URL: address, Branch: "main"}
	s, err := Clone(t.Context(), t.Output(), repo, Selection{GitToken: canaryToken}, t.TempDir())
	if err != nil || s.Commit != commits[1] {
		t.Errorf("%+v, %v", s, err)
	}
}

// A message of git in another language does not hide that there is no repository.
func TestNoRepositoryInGerman(t *testing.T) {
	t.Setenv("LANGUAGE", "de")
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	dir := t.TempDir()
	script := "#!/bin/sh\n" +
		"if [ \"$LC_ALL\" = C ]; then echo fatal: not a git repository; else echo fatal: Kein Git-Repository; fi >&2\n" +
		"exit 128\n"
	write(t, filepath.Join(dir, "git"), script)
	if err := os.Chmod(filepath.Join(dir, "git"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	_, err := FromCheckout(t.Context(), t.TempDir(), Selection{}, t.TempDir(), nil)
	if err == nil || !strings.Contains(err.Error(), "and norn names images after commits") {
		t.Errorf("%v", err)
	}
}
