package editor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// privateDir creates a folder that only this user can read, in memory if possible.
func (s Session) privateDir() (string, error) {
	for _, parent := range []string{os.Getenv("XDG_RUNTIME_DIR"), "/dev/shm"} {
		if parent == "" || !inMemory(parent) {
			continue
		}
		if dir, err := os.MkdirTemp(parent, "norn-"); err == nil { // it has mode 0700
			return dir, nil
		}
	}
	dir, err := os.MkdirTemp("", "norn-")
	if err != nil {
		return "", fmt.Errorf("create a private folder: %w", err)
	}
	s.OnDisk(filepath.Dir(dir))
	return dir, nil
}

// wipe overwrites all files in dir, including the editor's own, and removes dir.
func wipe(dir string) error {
	err := overwrite(dir)
	if removeErr := os.RemoveAll(dir); removeErr != nil {
		err = removeErr
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("wipe the edited text: %w", err)
	}
	return nil
}

func overwrite(dir string) error {
	root, err := os.OpenRoot(dir) // does not follow symbolic links out of dir
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		f, err := root.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(make([]byte, info.Size()))
		return errors.Join(err, f.Sync(), f.Close())
	})
}
