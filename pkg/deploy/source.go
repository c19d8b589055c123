package deploy

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"norn/internal/command"
	"norn/pkg/k8s/metadata"
)

// source is the version to be shipped, laid out in a folder.
type source struct {
	dir    string // the app's folder within the source
	top    string // the user's checkout, where it is from one
	copied string // the folder that was made for it, or "" where the checkout itself is the source
	commit string // all digits of the commit
	number string // how many commits led to it, the build number
	time   string // when it was committed, in seconds since 1970
	dirty  bool   // the folder holds changes that are in no commit
}

func (s source) tag() string { return metadata.ShortCommit(s.version()) }

// version is what history remembers: all digits of the commit, and whether that is all there was to it.
func (s source) version() string {
	if s.dirty {
		return s.commit + metadata.DirtySuffix
	}
	return s.commit
}

func (s source) describe() string { return "commit " + s.tag() }

// shortest is the tag, or "" where there is no source.
func (s source) shortest() string {
	if s.commit == "" {
		return ""
	}
	return s.tag()
}

// fetch finds the version that ref names in the repository around dir. A committed version is laid
// out afresh under into, so that exactly that commit is shipped and the user's checkout is
// never touched; only uncommitted changes, which ref "" asks for, are taken from dir itself.
func fetch(ctx context.Context, dir, ref, into string) (source, error) {
	s, err := look(ctx, dir, ref)
	if err != nil || s.dirty {
		return s, err
	}
	s.dir, s.copied = filepath.Join(into, s.dir), into
	if err := checkout(ctx, dir, s.commit, into); err != nil {
		return source{}, err
	}
	return s, submodules(ctx, s.top, s.commit, into)
}

// look finds the version that ref names in the repository around dir, and lays nothing out. The source's folder is dir where it has changes, else
// its path in the repository.
func look(ctx context.Context, dir, ref string) (source, error) {
	git := gitIn(dir, "GIT_OPTIONAL_LOCKS=0") // which leaves the index as it is
	top, err := git(ctx, "rev-parse", "--show-toplevel")
	if err != nil && !strings.Contains(err.Error(), "not a git repository") {
		return source{}, err
	}
	if err != nil {
		return source{}, &UsageError{fmt.Sprintf("%s is not in a git repository: an image is named after its commit", dir), "run git init and commit, or ship a built image with --image"}
	}
	prefix, err := git(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return source{}, err
	}
	s, err := commitAt(ctx, git, top, ref)
	if err != nil {
		return source{}, err
	}
	s.dir, s.top = prefix, top
	if ref == "" {
		changes, err := git(ctx, "status", "--porcelain", "--", ".")
		if err != nil {
			return source{}, err
		}
		if s.dirty = changes != ""; s.dirty {
			s.dir = dir
		}
	}
	return s, nil
}

// commitAt finds what is to be known of the commit that ref names, "" for the one that is checked out.
func commitAt(ctx context.Context, git gitFunc, where, ref string) (s source, err error) {
	name := cmp.Or(ref, "HEAD")
	if s.commit, err = git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}"); err != nil {
		if ctx.Err() != nil {
			return s, err
		}
		return s, noCommit(ctx, git, where, name)
	}
	if s.number, err = git(ctx, "rev-list", "--count", s.commit); err != nil {
		return s, err
	}
	s.time, err = git(ctx, "show", "--no-patch", "--format=%ct", s.commit)
	return s, err
}

// nearestRefs is how many are named.
const nearestRefs = 3

// noCommit says that a ref is not there, and names those that are nearest to it.
func noCommit(ctx context.Context, git gitFunc, where, name string) error {
	problem := &UsageError{fmt.Sprintf("%s has no commit %q", where, name), "see git branch --all and git tag for what there is"}
	if name == "HEAD" {
		problem.Advice = "commit something first"
		return problem
	}
	list, err := git(ctx, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", "refs/tags", "refs/remotes")
	if refs := strings.Fields(list); err == nil && len(refs) > 0 {
		slices.SortStableFunc(refs, func(a, b string) int {
			return cmp.Compare(levenshtein.ComputeDistance(name, a), levenshtein.ComputeDistance(name, b))
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
