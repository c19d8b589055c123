package source

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

const canaryToken = "canary-5f1d2c9e"

// gitServer serves a repository with two commits to whoever has the token, and returns its address.
func gitServer(t *testing.T) (address string, commits []string) {
	t.Helper()
	dir, commits := repository(t)
	top := filepath.Dir(filepath.Dir(dir))
	git(t, top, "branch", "-M", "main")
	git(t, top, "branch", "release/1.4", commits[0])
	backend := filepath.Join(strings.TrimSpace(git(t, top, "--exec-path")), "git-http-backend")
	handler := &cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(top), "GIT_HTTP_EXPORT_ALL=1"}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, ok := r.BasicAuth(); !ok || password != canaryToken {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/" + filepath.Base(top) + "/.git", commits
}

// spyOnGit puts a git into PATH that notes its arguments and environment, and those of what it starts, and returns where.
func spyOnGit(t *testing.T) string {
	t.Helper()
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	notes := filepath.Join(dir, "notes")
	script := "#!/bin/sh\n{ echo \"$@\"; env; } >>" + notes + "\nexec " + real + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return notes
}

// A private repository is read with the token, which is in no argument list, no environment and no file.
func TestCloneWithToken(t *testing.T) {
	address, commits := gitServer(t)
	notes := spyOnGit(t)
	t.Setenv("NORN_GIT_TOKEN", canaryToken)
	tmp := t.TempDir()
	var said bytes.Buffer
	s, err := Clone(t.Context(), &said, infraspec.Repo{URL: address, Branch: "main"}, Selection{GitToken: canaryToken}, tmp)
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	s.Dir = filepath.Join(s.Dir, "apps", "shop")
	if s.Commit != commits[1] || s.Dirty || content(t, s) != "two" || s.Number != "2" {
		t.Errorf("%+v with %q", s, content(t, s))
	}
	noted, err := os.ReadFile(notes)
	if err != nil || !bytes.Contains(noted, []byte("clone")) {
		t.Fatalf("nothing was noted: %v", err)
	}
	if bytes.Contains(noted, []byte(canaryToken)) || strings.Contains(said.String(), canaryToken) {
		t.Error("the token is in an argument list, an environment or the output")
	}
	err = filepath.WalkDir(tmp, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(canaryToken)) {
			t.Errorf("the token is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCloneRef(t *testing.T) {
	address, commits := gitServer(t)
	for _, ref := range []string{"release/1.4", commits[0], commits[0][:10]} {
		s, err := Clone(t.Context(), &bytes.Buffer{}, infraspec.Repo{URL: address, Branch: "main"}, Selection{GitToken: canaryToken, Ref: ref}, t.TempDir())
		if err != nil || s.Commit != commits[0] {
			t.Errorf("%s: %+v, %v", ref, s, err)
		}
	}
	_, err := Clone(t.Context(), &bytes.Buffer{}, infraspec.Repo{URL: address, Branch: "main"}, Selection{GitToken: canaryToken, Ref: "release/1.5"}, t.TempDir())
	usage, ok := errors.AsType[*pipeline.UsageError](err)
	if !ok || !strings.HasPrefix(usage.Advice, "the nearest are release/1.4, ") {
		t.Errorf("%v", err)
	}
}

// What cannot be cloned ends the run, and says what to do.
func TestCloneRefused(t *testing.T) {
	address, _ := gitServer(t)
	for _, c := range []struct{ token, advice string }{
		{"", "NORN_GIT_TOKEN"}, {"wrong", "NORN_GIT_TOKEN does not open it"},
	} {
		var said bytes.Buffer
		_, err := Clone(t.Context(), &said, infraspec.Repo{URL: address, Branch: "main"}, Selection{GitToken: c.token}, t.TempDir())
		var hint interface{ Hint() string }
		if !errors.As(err, &hint) || !strings.Contains(hint.Hint(), c.advice) {
			t.Errorf("%q: %v\n%s", c.token, err, said.String())
		}
	}
	_, err := Clone(t.Context(), &bytes.Buffer{}, infraspec.Repo{URL: "http://git.example.com/x.git"}, Selection{GitToken: canaryToken}, t.TempDir())
	if _, ok := errors.AsType[*pipeline.UsageError](err); !ok {
		t.Errorf("plain http: %v", err)
	}
	_, err = Clone(t.Context(), &bytes.Buffer{}, infraspec.Repo{URL: "git@git.example.com:x.git"}, Selection{GitKey: "/nosuch"}, t.TempDir())
	if _, ok := errors.AsType[*pipeline.UsageError](err); !ok {
		t.Errorf("a key that is not there: %v", err)
	}
}

func TestSSHKey(t *testing.T) {
	key := filepath.Join(t.TempDir(), "it's a key")
	write(t, key, "x")
	a, err := repositoryAccess("git@git.example.com:x.git", Selection{GitKey: key}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got := a.env[len(a.env)-1]; !strings.HasPrefix(got, "GIT_SSH_COMMAND=ssh -o BatchMode=yes -o IdentitiesOnly=yes -i '") || !strings.HasSuffix(got, `/it'\''s a key'`) {
		t.Errorf("%s", got)
	}
}

func TestRedactURL(t *testing.T) {
	for address, want := range map[string]string{
		"https://user:canary@git.example.com/x.git": "https://git.example.com/x.git",
		"ssh://git@git.example.com/x.git":           "ssh://git@git.example.com/x.git",
		"git@git.example.com:x.git":                 "git@git.example.com:x.git",
		"https://user:can%zzary@git.example.com/x":  "the repository",
	} {
		if got := RedactURL(address); got != want {
			t.Errorf("%s is shown as %s", address, got)
		}
	}
}
