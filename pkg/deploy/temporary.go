package deploy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// temporary is a run's own folder for source and image files.
type temporary struct {
	dir  string
	lock *flock.Flock // held for as long as the run lives, on any machine that shares the folder
}

const temporaryPrefix = "norn-deploy-"

// makeTemporary makes a fresh folder, and removes those of runs that were killed.
func makeTemporary() (*temporary, error) {
	sweepTemporary()
	dir, err := os.MkdirTemp("", temporaryPrefix)
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	t := &temporary{dir, flock.New(filepath.Join(dir, "lock"))}
	if _, err := t.lock.TryLock(); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the temporary folder: %w", err), os.RemoveAll(dir))
	}
	return t, nil
}

func (t *temporary) remove() error {
	err := os.RemoveAll(t.dir)
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
	sweep(filepath.Join(os.TempDir(), temporaryPrefix+"*", "lock"), func(path string) { _ = os.RemoveAll(filepath.Dir(path)) })
}

// sweep hands the files that match to remove, of which each is locked for as long as its run lives, where that run is dead.
func sweep(pattern string, remove func(path string)) {
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
