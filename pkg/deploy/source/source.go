// Package source finds the version to ship in a git repository and lays it out in a folder. It knows no Kubernetes.
package source

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"norn/internal/command"
	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// Selection says which version is taken from a git repository, and how git gets in.
type Selection struct {
	Ref      string // git ref; "" is the checkout as it is, or repo.branch
	GitToken string // for HTTPS repositories, or ""
	GitKey   string // path of a private key for SSH repositories, or ""
}

// Tree is a version of the source, laid out in a folder.
type Tree struct {
	Dir    string // the app's folder within the source
	top    string // the user's checkout, where it is from one
	Copied string // the folder that was made for it, or "" where the checkout itself is the source
	Commit string // all digits of the commit
	Number string // how many commits led to it, the build number
	Time   string // when it was committed, in seconds since 1970
	Dirty  bool   // the folder holds changes that are in no commit
}

// Tag returns the tag of an image of this version.
func (s Tree) Tag() string { return metadata.ShortCommit(s.Version()) }

// Version returns the full commit for the history, with DirtySuffix if more was shipped than is in the commit.
func (s Tree) Version() string {
	if s.Dirty {
		return s.Commit + metadata.DirtySuffix
	}
	return s.Commit
}

// Describe names the version in a message.
func (s Tree) Describe() string { return "commit " + s.Tag() }

// TagOrEmpty returns the tag, or "" if there is no source.
func (s Tree) TagOrEmpty() string {
	if s.Commit == "" {
		return ""
	}
	return s.Tag()
}

// FromCheckout finds the version that ref names in the repository around dir. It lays a committed version out under into, so
// that norn ships exactly that commit and never touches the user's checkout. Only uncommitted changes, which ref "" asks
// for, are taken from dir itself.
func FromCheckout(ctx context.Context, dir, ref, into string) (Tree, error) {
	s, err := find(ctx, dir, ref)
	if err != nil || s.Dirty {
		return s, err
	}
	s.Dir, s.Copied = filepath.Join(into, s.Dir), into
	if err := checkout(ctx, dir, s.Commit, into); err != nil {
		return Tree{}, err
	}
	return s, submodules(ctx, s.top, s.Commit, into)
}

// find finds the version that ref names in the repository around dir, without laying it out. The source's folder is dir where it has changes, else
// its path in the repository.
func find(ctx context.Context, dir, ref string) (Tree, error) {
	git := gitIn(dir, "GIT_OPTIONAL_LOCKS=0") // which leaves the index as it is
	top, err := git(ctx, "rev-parse", "--show-toplevel")
	if err != nil && !strings.Contains(err.Error(), "not a git repository") {
		return Tree{}, err
	}
	if err != nil {
		return Tree{}, &pipeline.UsageError{Problem: fmt.Sprintf("%s is not in a git repository: an image is named after its commit", dir), Advice: "run git init and commit, or ship a built image with --image"}
	}
	prefix, err := git(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return Tree{}, err
	}
	s, err := commitAt(ctx, git, top, ref)
	if err != nil {
		return Tree{}, err
	}
	s.Dir, s.top = prefix, top
	if ref == "" {
		changes, err := git(ctx, "status", "--porcelain", "--", ".")
		if err != nil {
			return Tree{}, err
		}
		if s.Dirty = changes != ""; s.Dirty {
			s.Dir = dir
		}
	}
	return s, nil
}

// commitAt finds what is to be known of the commit that ref names, "" for the one that is checked out.
func commitAt(ctx context.Context, git gitFunc, where, ref string) (s Tree, err error) {
	name := cmp.Or(ref, "HEAD")
	if s.Commit, err = git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}"); err != nil {
		if ctx.Err() != nil {
			return s, err
		}
		return s, noCommit(ctx, git, where, name)
	}
	if s.Number, err = git(ctx, "rev-list", "--count", s.Commit); err != nil {
		return s, err
	}
	s.Time, err = git(ctx, "show", "--no-patch", "--format=%ct", s.Commit)
	return s, err
}

// nearestRefs is the number of similar refs that an error suggests.
const nearestRefs = 3

// noCommit says that a ref is not there, and names those that are nearest to it.
func noCommit(ctx context.Context, git gitFunc, where, name string) error {
	problem := &pipeline.UsageError{Problem: fmt.Sprintf("%s has no commit %q", where, name), Advice: "see git branch --all and git tag for what there is"}
	if name == "HEAD" {
		problem.Advice = "commit something first"
		return problem
	}
	list, err := git(ctx, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", "refs/tags", "refs/remotes")
	if refs := strings.Fields(list); err == nil && len(refs) > 0 {
		slices.SortStableFunc(refs, func(a, b string) int {
			return cmp.Compare(infraspec.EditDistance(name, a), infraspec.EditDistance(name, b))
		})
		problem.Advice = "the nearest are " + strings.Join(refs[:min(len(refs), nearestRefs)], ", ") + "; git fetch brings what is not here yet"
	}
	return problem
}

// checkout lays a commit out under into by an index of its own, which leaves the repository's index and work tree alone.
func checkout(ctx context.Context, dir, commit, into string) error {
	if err := os.MkdirAll(into, 0o700); err != nil {
		return fmt.Errorf("lay out the source: %w", err)
	}
	index := "GIT_INDEX_FILE=" + into + ".index"
	git := gitIn(dir, index)
	if _, err := git(ctx, "read-tree", commit); err != nil {
		return err
	}
	top, err := git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	_, err = gitIn(top, index)(ctx, "checkout-index", "--all", "--prefix="+into+"/")
	return err
}

type gitFunc func(ctx context.Context, args ...string) (string, error)

// gitIn runs git in dir and returns what it prints, trimmed. A failure holds git's own last words.
func gitIn(dir string, env ...string) gitFunc {
	return func(ctx context.Context, args ...string) (string, error) {
		var stdout, stderr bytes.Buffer
		err := command.RunWith(ctx, command.Options{Dir: dir, Stdout: &stdout, Stderr: &stderr, Env: env}, "git", args...)
		if err != nil {
			if said := strings.TrimSpace(stderr.String()); said != "" {
				err = fmt.Errorf("%w: %s", err, said)
			}
			return "", fmt.Errorf("git %s: %w", verb(args), err)
		}
		return strings.TrimSpace(stdout.String()), nil
	}
}

// verb is git's command among its arguments.
func verb(args []string) string {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "-c":
			i++
		case !strings.HasPrefix(args[i], "-"):
			return args[i]
		}
	}
	return ""
}

// TagOf returns the tag of the image that a deploy of the checkout around dir would build.
func TagOf(ctx context.Context, dir string) (string, error) {
	s, err := find(ctx, dir, "")
	if err != nil {
		return "", err
	}
	return s.Tag(), nil
}
