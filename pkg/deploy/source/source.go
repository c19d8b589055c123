// Package source finds the version to deploy in a git repository and checks it out to a folder. It makes no calls to
// Kubernetes.
package source

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// Selection selects a version in a git repository and holds the credentials for it.
type Selection struct {
	Ref      string // git ref; "" is repo.branch, or without repo.url the current checkout
	Context  string // the build context, relative to the app's folder; "" is that folder
	GitToken string // for HTTPS repositories, or ""
	GitKey   string // path of a private key for SSH repositories, or ""
}

// FromCheckout returns the version that v.Ref names in the git repository that contains dir, the app's folder. It
// checks the commit out to target, so norn deploys exactly that commit and never touches the user's checkout. If v.Ref
// is "" and dir or the build context has uncommitted changes, it copies to target what a commit of the changes would
// contain, without the files that omit names by their path in an app's folder.
func FromCheckout(
	ctx context.Context, dir string, v Selection, target string, omit func(path string) bool,
) (Tree, error) {
	tree, err := resolve(ctx, dir, v)
	if err != nil {
		return tree, err
	}
	folder := tree.Dir
	tree.Dir, tree.Copied = filepath.Join(target, folder), target
	if tree.Dirty {
		return tree, copyWorkTree(ctx, tree.top, target, func(path string) bool {
			return omit != nil && omits(path, filepath.ToSlash(folder), omit)
		})
	}
	if err := checkout(ctx, dir, tree.Commit, target); err != nil {
		return Tree{}, err
	}
	unlisted, err := checkoutSubmodules(ctx, tree.top, tree.Commit, target, "")
	tree.warnUnlisted(unlisted, folder)
	return tree, err
}

// omits reports whether omit names a path of the repository: in the app's folder by its path there, and elsewhere,
// where other apps may be, in any folder above it.
func omits(path, folder string, omit func(path string) bool) bool {
	if inside, own := strings.CutPrefix(path, folder); own {
		return omit(inside)
	}
	for rest, more := path, true; more; _, rest, more = strings.Cut(rest, "/") {
		if omit(rest) {
			return true
		}
	}
	return false
}

// resolve resolves v.Ref in the git repository that contains dir. The returned Tree's Dir is dir's path in the
// repository, which is empty or ends in a slash.
func resolve(ctx context.Context, dir string, v Selection) (Tree, error) {
	git := gitIn(dir, "GIT_OPTIONAL_LOCKS=0") // git status must not write the index
	top, err := git(ctx, "rev-parse", "--show-toplevel")
	if err != nil && strings.Contains(err.Error(), "safe.bareRepository") {
		return Tree{}, &pipeline.UsageError{
			Problem: fmt.Sprintf("%s looks like a bare git repository, and norn runs no git command in it", dir),
			Advice:  "look at its files HEAD and config: whoever made the folder can name commands there that git runs",
		}
	}
	if err != nil && !strings.Contains(err.Error(), "not a git repository") {
		return Tree{}, err
	}
	if err != nil {
		return Tree{}, &pipeline.UsageError{
			Problem: fmt.Sprintf("%s is not in a git repository, and norn names images after commits", dir),
			Advice:  "run git init and commit, or deploy an existing image with --image",
		}
	}
	prefix, err := git(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return Tree{}, err
	}
	if outside(filepath.Join(prefix, v.Context)) {
		return Tree{}, outsideError(v.Context, top)
	}
	tree, err := commitAt(ctx, git, top, v.Ref)
	if err != nil {
		return Tree{}, err
	}
	tree.Dir, tree.top, tree.own = prefix, top, dir
	if err := tree.setTime(ctx, git, ".", filepath.Join(".", v.Context)); err != nil {
		return Tree{}, err
	}
	if v.Ref == "" {
		changes, err := git(ctx, "status", "--porcelain", "--", ".", filepath.Join(".", v.Context))
		if err != nil {
			return Tree{}, err
		}
		tree.Dirty = changes != ""
	}
	return tree, nil
}

// commitAt reads the commit that ref names; "" is HEAD. Errors call the repository repo.
func commitAt(ctx context.Context, git gitFunc, repo, ref string) (tree Tree, err error) {
	name := cmp.Or(ref, "HEAD")
	if tree.Commit, err = git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}"); err != nil {
		if ctx.Err() != nil {
			return tree, err
		}
		return tree, unknownRef(ctx, git, repo, name)
	}
	if tree.Number, err = git(ctx, "rev-list", "--count", tree.Commit); err != nil {
		return tree, err
	}
	shallow, err := git(ctx, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return tree, err
	}
	tree.Shallow = shallow == "true"
	if warning := ambiguous(ctx, git, ref, tree.Commit); warning != "" {
		tree.Warnings = append(tree.Warnings, warning)
	}
	head, err := git(ctx, "show", "--no-patch", "--no-show-signature", "--format=%ct%n%s", tree.Commit)
	tree.Time, tree.Subject, _ = strings.Cut(head, "\n")
	return tree, err
}

// setTime sets the Time to that of the last commit that changed one of the paths, relative to git's folder. Images of
// commits that change other files of the repository then have the same digest. If git does not know such a commit, the
// time stays.
func (t *Tree) setTime(ctx context.Context, git gitFunc, paths ...string) error {
	last, err := git(ctx, append([]string{"rev-list", "--max-count=1", "--timestamp", t.Commit, "--"}, paths...)...)
	if at, _, found := strings.Cut(last, " "); found && err == nil {
		t.Time = at
	}
	return err
}

// ambiguous returns a warning if ref is both a tag and a branch. git then chooses the tag (man gitrevisions).
func ambiguous(ctx context.Context, git gitFunc, ref, commit string) string {
	if ref == "" {
		return ""
	}
	if _, err := git(ctx, "show-ref", "--verify", "--quiet", "refs/tags/"+ref); err != nil {
		return ""
	}
	branch, err := git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", "refs/heads/"+ref+"^{commit}")
	if err != nil || branch == commit {
		return ""
	}
	return fmt.Sprintf("%[1]s is both a tag and a branch; norn ships the tag; to ship the branch, pass heads/%[1]s", ref)
}

// nearestRefs is the number of similar refs that an error suggests.
const nearestRefs = 3

// unknownRef returns an error that suggests refs with similar names.
func unknownRef(ctx context.Context, git gitFunc, repo, name string) error {
	problem := &pipeline.UsageError{
		Problem: fmt.Sprintf("%s has no commit %q", repo, name),
		Advice:  "run git branch --all or git tag to list the refs",
	}
	if name == "HEAD" {
		problem.Advice = "commit something first"
		return problem
	}
	list, err := git(ctx, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", "refs/tags", "refs/remotes")
	if refs := parseRefs(list); err == nil && len(refs) > 0 {
		slices.SortStableFunc(refs, func(a, b string) int {
			return cmp.Compare(infraspec.EditDistance(name, a), infraspec.EditDistance(name, b))
		})
		nearest := strings.Join(refs[:min(len(refs), nearestRefs)], ", ")
		problem.Advice = "choose a similar ref (" + nearest + "), or run git fetch to get new ones"
	}
	return problem
}

// checkout checks a commit out to target. It uses a separate index, so the repository's index and work tree stay as
// they are.
func checkout(ctx context.Context, dir, commit, target string) error {
	if err := os.MkdirAll(target, 0o700); err != nil {
		return fmt.Errorf("check out the source: %w", err)
	}
	index := "GIT_INDEX_FILE=" + target + ".index"
	git := gitIn(dir, index)
	if _, err := git(ctx, "read-tree", commit); err != nil {
		return err
	}
	top, err := git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	_, err = gitIn(top, index)(ctx, "checkout-index", "--all", "--prefix="+target+"/")
	return err
}

// TagOf returns the tag of the image that a deploy from dir, with this build context, would build.
func TagOf(ctx context.Context, dir, context string) (string, error) {
	tree, err := resolve(ctx, dir, Selection{Context: context})
	if err != nil {
		return "", err
	}
	return tree.Tag(), nil
}
