package source

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
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

// Clone clones the source repository to tmp and checks out the commit that v.Ref names, or the head of repo.Branch.
func Clone(ctx context.Context, out io.Writer, repo infraspec.Repo, v Selection, tmp string) (Tree, error) {
	access, err := repositoryAccess(repo.URL, v, tmp)
	if err != nil {
		return Tree{}, err
	}
	defer access.close()
	bare, target := filepath.Join(tmp, "repository"), filepath.Join(tmp, "source")
	if err := access.git(ctx, out, "", "clone", "--quiet", "--bare", "--", repo.URL, bare); err != nil {
		return Tree{}, fmt.Errorf("clone %s: %w", RedactURL(repo.URL), err)
	}
	git := gitIn(bare, "GIT_DIR="+bare) // otherwise it finds no bare repository
	tree, err := commitAt(ctx, git, RedactURL(repo.URL), cmp.Or(v.Ref, branchRef(ctx, git, repo.Branch)))
	if err != nil {
		return Tree{}, err
	}
	if err := tree.setTime(ctx, git, "."); err != nil {
		return Tree{}, err
	}
	// git fetches submodules only into a work tree.
	if err := access.git(ctx, out, "", "clone", "--quiet", "--no-checkout", "--shared", "--", bare, target); err != nil {
		return Tree{}, fmt.Errorf("check out %s: %w", tree.Describe(), err)
	}
	for _, args := range [][]string{
		{"config", "remote.origin.url", repo.URL}, // base of the submodules' relative URLs
		{"checkout", "--quiet", "--detach", tree.Commit},
	} {
		if err := access.git(ctx, out, target, args...); err != nil {
			return Tree{}, fmt.Errorf("check out %s: %w", tree.Describe(), err)
		}
	}
	unlisted, err := access.submodules(ctx, out, target, "")
	if err != nil {
		return Tree{}, fmt.Errorf("check out %s: %w", tree.Describe(), err)
	}
	if err := removeRepositories(target); err != nil {
		return Tree{}, fmt.Errorf("check out %s: %w", tree.Describe(), err)
	}
	tree.warnUnlisted(unlisted, "")
	tree.Dir, tree.Copied, tree.origin = target, target, RedactURL(repo.URL)
	return tree, nil
}

// removeRepositories removes the .git of a clone and of its submodules, which a build would copy into the image. It
// holds the repository's address, which may have credentials in it.
func removeRepositories(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() != ".git" {
			return err
		}
		if err := os.RemoveAll(path); err != nil || !e.IsDir() { //nolint:gosec // nothing else writes there
			return err
		}
		return fs.SkipDir
	})
}

// branchRef returns the ref of a branch, even if a tag has the same name. It returns name if there is no such branch.
func branchRef(ctx context.Context, git gitFunc, name string) string {
	full := "refs/heads/" + name
	if _, err := git(ctx, "show-ref", "--verify", "--quiet", full); name != "" && err == nil {
		return full
	}
	return name
}

// submodules fetches the submodules of the work tree top, which is at prefix in the source. A submodule that git leaves
// empty stays empty. submodules returns the paths that are not in .gitmodules.
func (a *access) submodules(ctx context.Context, out io.Writer, top, prefix string) (unlisted []string, err error) {
	git := gitIn(top)
	links, err := gitlinks(ctx, git, "HEAD")
	if err != nil || len(links) == 0 {
		return nil, err
	}
	modules := modulesAt(ctx, git, "HEAD")
	for _, link := range links {
		switch left := leftOut(ctx, git, modules, link.path); {
		case left == notListed:
			unlisted = append(unlisted, prefix+link.path)
			continue
		case left != "":
			continue
		}
		args := []string{"submodule", "--quiet", "update", "--init", "--", ":(top,literal)" + link.path}
		if err := a.git(ctx, out, top, args...); err != nil {
			return nil, err
		}
		more, err := a.submodules(ctx, out, filepath.Join(top, link.path), prefix+link.path+"/")
		if err != nil {
			return nil, err
		}
		unlisted = append(unlisted, more...)
	}
	return unlisted, nil
}

// cloneError adds advice about access to a failure of git, whose own output is shown as well.
type cloneError struct {
	err    error
	advice string
}

func (e *cloneError) Error() string { return e.err.Error() }

func (e *cloneError) Unwrap() error { return e.err }

// Hint returns advice.
func (e *cloneError) Hint() string { return e.advice }

// access gives git access to a repository.
type access struct {
	args   []string // options before git's subcommand
	env    []string
	advice string // shown when git fails
	close  func()
}

// git runs git with this access and writes its output to out.
func (a *access) git(ctx context.Context, out io.Writer, dir string, args ...string) error {
	options := command.Options{Dir: dir, Stdout: out, Stderr: out, Env: a.env}
	err := command.Git(ctx, options, slices.Concat(a.args, args)...)
	if err != nil && ctx.Err() == nil {
		return &cloneError{err, a.advice}
	}
	return err
}

// repositoryAccess returns access by token for an HTTPS address and by key for an SSH address. git never prompts on the
// terminal.
func repositoryAccess(address string, v Selection, tmp string) (*access, error) {
	a := &access{env: []string{"GIT_TERMINAL_PROMPT=0"}, close: func() {}}
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		a.advice = "if the repository is private, set NORN_GIT_TOKEN"
		if v.GitToken == "" {
			return a, nil
		}
		if u.Scheme == "http" && !registry.Loopback(u.Host) {
			return nil, &pipeline.UsageError{
				Problem: "norn does not send NORN_GIT_TOKEN over plain http, which repo.url uses",
				Advice:  "use https",
			}
		}
		helper, stop, err := serveCredential(tmp, v.GitToken)
		if err != nil {
			return nil, err
		}
		a.close = stop
		a.advice = "check NORN_GIT_TOKEN and repo.url"
		// git would offer the token to all other helpers, which may store it. Only this host may receive it.
		onlyHost := fmt.Sprintf("credential.%s://%s.helper=%s", u.Scheme, u.Host, helper)
		a.args = []string{"-c", "credential.helper=", "-c", onlyHost}
		return a, nil
	}
	a.advice = "add a key that can read the repository to the SSH agent, or set NORN_GIT_SSH_KEY"
	ssh := "ssh -o BatchMode=yes"
	if v.GitKey != "" {
		if _, err := os.Stat(v.GitKey); err != nil {
			return nil, &pipeline.UsageError{
				Problem: fmt.Sprintf("cannot read NORN_GIT_SSH_KEY %q", v.GitKey),
				Advice:  "set it to the path of a private key",
			}
		}
		ssh += " -o IdentitiesOnly=yes -i '" + strings.ReplaceAll(v.GitKey, "'", `'\''`) + "'"
	}
	a.env = append(a.env, "GIT_SSH_COMMAND="+ssh)
	return a, nil
}
