package source

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"norn/internal/command"
	"norn/internal/registry"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// Clone lays out a version from the source repository under tmp: exactly the commit that the ref names, by default that of
// the branch.
func Clone(ctx context.Context, out io.Writer, repo infraspec.Repo, v Selection, tmp string) (Tree, error) {
	access, err := repositoryAccess(repo.URL, v, tmp)
	if err != nil {
		return Tree{}, err
	}
	defer access.close()
	bare, into := filepath.Join(tmp, "repository"), filepath.Join(tmp, "source")
	if err := access.git(ctx, out, "", "clone", "--quiet", "--bare", "--", repo.URL, bare); err != nil {
		return Tree{}, fmt.Errorf("clone %s: %w", RedactURL(repo.URL), err)
	}
	s, err := commitAt(ctx, gitIn(bare), RedactURL(repo.URL), cmp.Or(v.Ref, repo.Branch))
	if err != nil {
		return Tree{}, err
	}
	// A work tree of its own, so that git itself brings the submodules.
	if err := access.git(ctx, out, "", "clone", "--quiet", "--no-checkout", "--shared", "--", bare, into); err != nil {
		return Tree{}, fmt.Errorf("lay out %s: %w", s.Describe(), err)
	}
	for _, args := range [][]string{
		{"config", "remote.origin.url", repo.URL}, // relative addresses of submodules start from it
		{"checkout", "--quiet", "--detach", s.Commit},
		{"submodule", "--quiet", "update", "--init", "--recursive"},
	} {
		if err := access.git(ctx, out, into, args...); err != nil {
			return Tree{}, fmt.Errorf("lay out %s: %w", s.Describe(), err)
		}
	}
	s.Dir, s.Copied = into, into
	return s, nil
}

// cloneError adds to git's own words, which are shown, what norn knows about access.
type cloneError struct {
	err    error
	advice string
}

func (e *cloneError) Error() string { return e.err.Error() }
func (e *cloneError) Unwrap() error { return e.err }

// Hint is what to do about it.
func (e *cloneError) Hint() string { return e.advice }

// access is how git gets into a repository.
type access struct {
	args   []string // git's options
	env    []string
	advice string // where it is not let in
	close  func()
}

// git runs git with this access; what it says goes to out.
func (a *access) git(ctx context.Context, out io.Writer, dir string, args ...string) error {
	err := command.RunWith(ctx, command.Options{Dir: dir, Stdout: out, Stderr: out, Env: a.env}, "git", slices.Concat(a.args, args)...)
	if err != nil && ctx.Err() == nil {
		return &cloneError{err, a.advice}
	}
	return err
}

// repositoryAccess chooses by the address: a token for HTTPS, a key for SSH. Nothing is ever asked for on the terminal.
func repositoryAccess(address string, v Selection, tmp string) (*access, error) {
	a := &access{env: []string{"GIT_TERMINAL_PROMPT=0"}, close: func() {}}
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		a.advice = "a private repository wants a token in NORN_GIT_TOKEN"
		if v.GitToken == "" {
			return a, nil
		}
		if u.Scheme == "http" && !registry.Loopback(u.Host) {
			return nil, &pipeline.UsageError{Problem: "repo.url is plain http, over which NORN_GIT_TOKEN is not sent", Advice: "use https"}
		}
		helper, stop, err := serveCredential(tmp, v.GitToken)
		if err != nil {
			return nil, err
		}
		a.close = stop
		a.advice = "NORN_GIT_TOKEN does not open it, or the address is wrong"
		// Other helpers would be told of the token, and might keep it; and only this host is to have it.
		a.args = []string{"-c", "credential.helper=", "-c", fmt.Sprintf("credential.%s://%s.helper=%s", u.Scheme, u.Host, helper)}
		return a, nil
	}
	a.advice = "SSH wants a key that the repository knows: in the agent, or by NORN_GIT_SSH_KEY"
	ssh := "ssh -o BatchMode=yes"
	if v.GitKey != "" {
		if _, err := os.Stat(v.GitKey); err != nil {
			return nil, &pipeline.UsageError{Problem: fmt.Sprintf("NORN_GIT_SSH_KEY is %q, which cannot be read", v.GitKey), Advice: "it is the path of a private key"}
		}
		ssh += " -o IdentitiesOnly=yes -i '" + strings.ReplaceAll(v.GitKey, "'", `'\''`) + "'"
	}
	a.env = append(a.env, "GIT_SSH_COMMAND="+ssh)
	return a, nil
}

// RedactURL returns an address without a password in it.
func RedactURL(address string) string {
	if !strings.Contains(address, "://") { // SSH's short form has no password
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return "the repository"
	}
	if _, secret := u.User.Password(); secret {
		u.User = nil
	}
	return u.String()
}
