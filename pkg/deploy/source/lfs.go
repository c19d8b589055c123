package source

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// lfsMark begins a file that stands for another one, which is kept elsewhere (github.com/git-lfs/git-lfs: docs/spec.md).
var lfsMark = []byte("version https://git-lfs.github.com/spec/v1\n")

// maxPointer is more than any such file has.
const maxPointer = 1024

// LFSPointers returns a warning about Git LFS pointers under dir that were not replaced by their files, or "".
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
	return fmt.Sprintf("Git LFS has not replaced %s: the image gets pointers in place of files; install git-lfs, and run git lfs install", first)
}

func isPointer(path string, e fs.DirEntry) bool {
	info, err := e.Info()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxPointer {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, len(lfsMark))
	_, err = io.ReadFull(f, head)
	return err == nil && bytes.Equal(head, lfsMark)
}
