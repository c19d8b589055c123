//go:build unix

package secrets

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// tryLock takes the lock on a folder, or reports that another process holds it. On file systems without locks it does
// nothing.
func tryLock(dir *os.File) (held bool, err error) {
	err = syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a file descriptor fits an int
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return true, nil
	case errors.Is(err, syscall.EINTR):
		return true, nil // the caller tries again
	case err == nil, errors.Is(err, syscall.EBADF), errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOLCK),
		errors.Is(err, syscall.EINVAL):
		return false, nil
	}
	return false, fmt.Errorf("lock the secrets: %w", err)
}
