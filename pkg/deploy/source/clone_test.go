package source

import (
	"bytes"
	"errors"
	"io"
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

// gitServer serves a repository with two commits to clients with canaryToken, and returns its address.
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

// spyOnGit puts a git wrapper into PATH and returns its log. The log has the arguments and environment of each git
// process, including those that git starts itself.
func spyOnGit(t *testing.T) string {
	t.Helper()
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	script := "#!/bin/sh\n{ echo \"$@\"; env; } >>" + log + "\nexec " + real + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return log
}

// Clone reads a private repository with the token, which never appears in an argument list, an environment or a file.
func TestCloneWithToken(t *testing.T) {
	address, commits := gitServer(t)
	log := spyOnGit(t)
	t.Setenv("NORN_GIT_TOKEN", canaryToken)
	tmp := t.TempDir()
	var out bytes.Buffer
	repo := infraspec.Repo{URL: address, Branch: "main"}
	s, err := Clone(t.Context(), &out, repo, Selection{GitToken: canaryToken}, tmp)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	s.Dir = filepath.Join(s.Dir, "apps", "shop")
	if s.Commit != commits[1] || s.Dirty || content(t, s) != "two" || s.Number != "2" {
		t.Errorf("%+v with %q", s, content(t, s))
	}
	logged, err := os.ReadFile(log)
	if err != nil || !bytes.Contains(logged, []byte("clone")) {
		t.Fatalf("git was not logged: %v", err)
	}
	if bytes.Contains(logged, []byte(canaryToken)) || strings.Contains(out.String(), canaryToken) {
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
	repo := infraspec.Repo{URL: address, Branch: "main"}
	for _, ref := range []string{"release/1.4", commits[0], commits[0][:10]} {
		s, err := Clone(t.Context(), io.Discard, repo, Selection{GitToken: canaryToken, Ref: ref}, t.TempDir())
		if err != nil || s.Commit != commits[0] {
			t.Errorf("%s: %+v, %v", ref, s, err)
		}
	}
	_, err := Clone(t.Context(), io.Discard, repo, Selection{GitToken: canaryToken, Ref: "release/1.5"}, t.TempDir())
	usage, ok := errors.AsType[*pipeline.UsageError](err)
	if !ok || !strings.HasPrefix(usage.Advice, "choose a similar ref (release/1.4, ") {
		t.Errorf("unknown ref: %v", err)
	}
}

// A failed clone returns advice.
func TestCloneRefused(t *testing.T) {
	address, _ := gitServer(t)
	for _, c := range []struct{ token, advice string }{
		{"", "NORN_GIT_TOKEN"}, {"wrong", "check NORN_GIT_TOKEN"},
	} {
		var out bytes.Buffer
		repo := infraspec.Repo{URL: address, Branch: "main"}
		_, err := Clone(t.Context(), &out, repo, Selection{GitToken: c.token}, t.TempDir())
		var hint interface{ Hint() string }
		if !errors.As(err, &hint) || !strings.Contains(hint.Hint(), c.advice) {
			t.Errorf("%q: %v\n%s", c.token, err, out.String())
		}
	}
	plain := infraspec.Repo{URL: "http://git.example.com/x.git"}
	_, err := Clone(t.Context(), io.Discard, plain, Selection{GitToken: canaryToken}, t.TempDir())
	if _, ok := errors.AsType[*pipeline.UsageError](err); !ok {
		t.Errorf("token over plain http: error %v, want a UsageError", err)
	}
	ssh := infraspec.Repo{URL: "git@git.example.com:x.git"}
	_, err = Clone(t.Context(), io.Discard, ssh, Selection{GitKey: "/nosuch"}, t.TempDir())
	if _, ok := errors.AsType[*pipeline.UsageError](err); !ok {
		t.Errorf("missing key file: error %v, want a UsageError", err)
	}
}

func TestSSHKey(t *testing.T) {
	key := filepath.Join(t.TempDir(), "it's a key")
	write(t, key, "x")
	a, err := repositoryAccess("git@git.example.com:x.git", Selection{GitKey: key}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const prefix, suffix = "GIT_SSH_COMMAND=ssh -o BatchMode=yes -o IdentitiesOnly=yes -i '", `/it'\''s a key'`
	if got := a.env[len(a.env)-1]; !strings.HasPrefix(got, prefix) || !strings.HasSuffix(got, suffix) {
		t.Errorf("got %s, want %s…%s", got, prefix, suffix)
	}
}
