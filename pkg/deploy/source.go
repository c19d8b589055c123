package deploy

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"norn/internal/command"
)

// source is the version to be shipped, laid out in a folder.
type source struct {
	dir    string // the app's folder within the source
	commit string // all digits of the commit
	number string // how many commits led to it, the build number
	time   string // when it was committed, in seconds since 1970
	dirty  bool   // the folder holds changes that are in no commit
}

const (
	shaDigits   = 12
	dirtySuffix = "-dirty"
)

func (s source) tag() string {
	tag := s.commit[:shaDigits]
	if s.dirty {
		tag += dirtySuffix
	}
	return tag
}

// version is what history remembers: all digits of the commit, and whether that is all there was to it.
func (s source) version() string {
	if s.dirty {
		return s.commit + dirtySuffix
	}
	return s.commit
}

func (s source) describe() string { return "commit " + s.tag() }

// fetch finds the version that ref names in the repository around dir. A committed version is laid
// out afresh under into, so that exactly that commit is shipped and the user's checkout is
// never touched; only uncommitted changes, which ref "" asks for, are taken from dir itself.
func fetch(ctx context.Context, dir, ref, into string) (source, error) {
	git := gitIn(dir)
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
	name := ref
	if name == "" {
		name = "HEAD"
	}
	s := source{}
	if s.commit, err = git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}"); err != nil && ctx.Err() != nil {
		return source{}, err
	} else if err != nil {
		return source{}, &UsageError{fmt.Sprintf("%s has no commit %q", top, name), "see git branch --all and git tag for what there is"}
	}
	if s.number, err = git(ctx, "rev-list", "--count", s.commit); err != nil {
		return source{}, err
	}
	if s.time, err = git(ctx, "show", "--no-patch", "--format=%ct", s.commit); err != nil {
		return source{}, err
	}
	if ref == "" {
		changes, err := git(ctx, "status", "--porcelain", "--", ".")
		if err != nil {
			return source{}, err
		}
		if s.dirty = changes != ""; s.dirty {
			s.dir = dir
			return s, nil
		}
	}
	if err := checkout(ctx, dir, s.commit, into); err != nil {
		return source{}, err
	}
	s.dir = filepath.Join(into, prefix)
	return s, nil
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

// gitIn runs git in dir and returns what it prints, trimmed. A failure holds git's own last words.
func gitIn(dir string, env ...string) func(ctx context.Context, args ...string) (string, error) {
	return func(ctx context.Context, args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = dir
		cmd.Env = append(command.Environment(), env...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
		}
		return strings.TrimSpace(stdout.String()), nil
	}
}
