package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"norn/internal/regularfile"
)

// workTree copies files of a work tree.
type workTree struct {
	from, to string
	omit     func(path string) bool // or nil
	folders  map[string]bool        // whether a folder in from is one, and not a symbolic link
}

// copyWorkTree copies to target what a commit of all changes in the work tree top would contain, with the submodules as
// they are checked out: not .git, no file that git ignores, and none that omit names by its path in the work tree.
func copyWorkTree(ctx context.Context, top, target string, omit func(path string) bool) error {
	git := gitIn(top, "GIT_OPTIONAL_LOCKS=0")
	list, err := git(ctx, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(target, 0o700); err != nil {
		return fmt.Errorf("copy the source: %w", err)
	}
	w := &workTree{from: top, to: target, omit: omit, folders: map[string]bool{".": true}}
	for name := range strings.SplitSeq(list, "\x00") {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		name = strings.TrimSuffix(name, "/") // of a repository in the work tree
		if name == "" || !w.isFolder(path.Dir(name)) || omit != nil && omit(name) {
			continue
		}
		if err := w.copy(ctx, name); err != nil {
			return fmt.Errorf("copy the source: %w", err)
		}
	}
	return nil
}

// isFolder reports whether a path in the work tree leads through folders only. A folder that a symbolic link has
// replaced is one no more: git ships the link.
func (w *workTree) isFolder(name string) bool {
	known, ok := w.folders[name]
	if !ok {
		info, err := os.Lstat(filepath.Join(w.from, name))
		known = w.isFolder(path.Dir(name)) && err == nil && info.IsDir()
		w.folders[name] = known
	}
	return known
}

// copy copies a file, a symbolic link or a repository. It skips a deleted file, a pipe, a socket and a device.
func (w *workTree) copy(ctx context.Context, name string) error {
	from, to := filepath.Join(w.from, name), filepath.Join(w.to, name)
	info, err := os.Lstat(from)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	switch {
	case info.Mode().IsRegular():
		return copyFile(from, to)
	case info.Mode()&fs.ModeSymlink != 0:
		link, err := os.Readlink(from)
		if err != nil {
			return err
		}
		if err := os.Symlink(link, to); !errors.Is(err, fs.ErrExist) { // git lists a file in a conflict several times
			return err
		}
	case info.IsDir():
		if _, err := os.Stat(filepath.Join(from, ".git")); err != nil { // a submodule that is not checked out
			return os.MkdirAll(to, 0o755)
		}
		return copyWorkTree(ctx, from, to, nil)
	}
	return nil
}

// copyFile copies a file with its permissions.
func copyFile(from, to string) error {
	in, err := regularfile.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm()|0o200)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(info.Mode().Perm()), out.Close())
}
