package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Temporary is a run's temporary folder.
type Temporary struct {
	Dir  string
	lock *flock.Flock // held until the run ends, visible to other machines that share the folder
}

const temporaryPrefix = "norn-deploy-"

// NewTemporary creates a folder. It also removes the folders of killed runs.
func NewTemporary() (*Temporary, error) {
	sweepTemporary()
	dir, err := os.MkdirTemp("", temporaryPrefix)
	if err != nil {
		return nil, fmt.Errorf("create a temporary folder: %w", err)
	}
	t := &Temporary{dir, flock.New(filepath.Join(dir, "lock"))}
	if _, err := t.lock.TryLock(); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the temporary folder: %w", err), os.RemoveAll(dir))
	}
	return t, nil
}

// Remove removes the folder and releases its lock.
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

// sweepTemporary removes the folders of killed runs. Folders of other users stay because their locks cannot be opened.
func sweepTemporary() {
	Sweep(filepath.Join(os.TempDir(), temporaryPrefix+"*", "lock"), func(path string) {
		_ = os.RemoveAll(filepath.Dir(path))
	})
}

// Sweep calls remove for each file that matches pattern and that no run has locked. A run holds its lock until it ends.
func Sweep(pattern string, remove func(path string)) {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return
	}
	for _, path := range found {
		lock := flock.New(path, flock.SetFlag(os.O_RDWR)) // does not create the file if another run just removed it
		if locked, err := lock.TryLock(); err == nil && locked {
			remove(path)
			_ = lock.Close()
		}
	}
}
