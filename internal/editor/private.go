package editor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"

	"norn/internal/folder"
)

const (
	prefix   = "norn-edit-"
	lockName = "lock"
)

// parents returns the folders in memory where a private folder can be.
func parents() []string {
	return slices.DeleteFunc([]string{os.Getenv("XDG_RUNTIME_DIR"), "/dev/shm"}, func(dir string) bool {
		return dir == "" || !inMemory(dir)
	})
}

// privateDir creates a folder that only this user can read, in memory if possible. The lock is held while the folder is
// in use.
func (s Session) privateDir() (dir string, lock *flock.Flock, err error) {
	for _, parent := range parents() {
		if dir, err = os.MkdirTemp(parent, prefix); err == nil { // it has mode 0700
			break
		}
	}
	if dir == "" {
		if dir, err = os.MkdirTemp("", prefix); err != nil {
			return "", nil, fmt.Errorf("create a private folder: %w", err)
		}
		s.OnDisk(filepath.Dir(dir))
	}
	lock = flock.New(filepath.Join(dir, lockName))
	if err := lock.Lock(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("lock the private folder: %w", err), os.RemoveAll(dir))
	}
	return dir, lock, nil
}

// Sweep wipes the private folders that killed runs of this user left.
func Sweep() {
	for _, parent := range append(parents(), os.TempDir()) {
		folder.Sweep(filepath.Join(parent, prefix+"*", lockName), func(path string) {
			// Anyone can create names in these folders, but not a folder that belongs to this user.
			if dir := filepath.Dir(path); isOwnFolder(dir) {
				_ = wipe(dir) // the next run tries again
			}
		})
	}
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
