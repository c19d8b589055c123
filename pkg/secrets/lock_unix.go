//go:build unix

package secrets

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// tryLock asks for the lock on a folder, and reports whether somebody else holds it. File systems that know no locks go without.
func tryLock(dir *os.File) (held bool, err error) {
	err = syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a file descriptor fits an int
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return true, nil
	case errors.Is(err, syscall.EINTR):
		return true, nil // asked again
	case errors.Is(err, syscall.EBADF), errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.EINVAL), err == nil:
		return false, nil
	}
	return false, fmt.Errorf("lock the secrets: %w", err)
}
