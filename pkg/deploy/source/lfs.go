package source

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"norn/internal/regularfile"
)

// lfsHeader is the first line of a Git LFS pointer (github.com/git-lfs/git-lfs: docs/spec.md).
var lfsHeader = []byte("version https://git-lfs.github.com/spec/v1\n")

// maxPointer is the maximum size of a Git LFS pointer in bytes; see lfsHeader for the source.
const maxPointer = 1024

// LFSPointers returns a warning about unresolved Git LFS pointers in dir, or "".
func LFSPointers(dir string) string {
	first, more := "", 0
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() && e.Name() == ".git" {
			return fs.SkipDir
		}
		if !isPointer(path, e) {
			return nil
		}
		if first != "" {
			more++
			return nil
		}
		first, _ = filepath.Rel(dir, path)
		return nil
	})
	switch {
	case first == "":
		return ""
	case more > 0:
		first = fmt.Sprintf("%s and %d more", first, more)
	}
	return fmt.Sprintf("unresolved Git LFS pointers: %s; the image will contain them instead of the files; "+
		"install git-lfs and run git lfs install", first)
}

func isPointer(path string, e fs.DirEntry) bool {
	info, err := e.Info()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxPointer {
		return false
	}
	f, err := regularfile.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, len(lfsHeader))
	_, err = io.ReadFull(f, head)
	return err == nil && bytes.Equal(head, lfsHeader)
}
