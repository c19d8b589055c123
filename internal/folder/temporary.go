package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Temporary is a run's own folder.
type Temporary struct {
	Dir  string
	lock *flock.Flock // held for as long as the run lives, on any machine that shares the folder
}

const temporaryPrefix = "norn-deploy-"

// NewTemporary makes a folder, and removes those of runs that were killed.
func NewTemporary() (*Temporary, error) {
	sweepTemporary()
	dir, err := os.MkdirTemp("", temporaryPrefix)
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	t := &Temporary{dir, flock.New(filepath.Join(dir, "lock"))}
	if _, err := t.lock.TryLock(); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the temporary folder: %w", err), os.RemoveAll(dir))
	}
	return t, nil
}

// Remove removes the folder.
func (t *Temporary) Remove() error {
	err := os.RemoveAll(t.Dir)
	if closeErr := t.lock.Close(); err == nil && closeErr != nil && !errors.Is(closeErr, os.ErrNotExist) {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("remove the temporary folder: %w", err)
	}
	return nil
}

// sweepTemporary removes the folders whose run is dead; others' folders cannot be opened, and stay.
func sweepTemporary() {
	Sweep(filepath.Join(os.TempDir(), temporaryPrefix+"*", "lock"), func(path string) { _ = os.RemoveAll(filepath.Dir(path)) })
}

// Sweep calls remove for each file that matches pattern and whose run is dead: a run locks its file for as long as it lives.
func Sweep(pattern string, remove func(path string)) {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return
	}
	for _, path := range found {
		lock := flock.New(path, flock.SetFlag(os.O_RDWR)) // makes none where the file is just going
		if taken, err := lock.TryLock(); err == nil && taken {
			remove(path)
			_ = lock.Close()
		}
	}
}
