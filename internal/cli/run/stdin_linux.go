package run

import (
	"os"

	"golang.org/x/sys/unix"
)

// hasUnread reports whether a pipe has data that nobody has read yet.
func hasUnread(pipe *os.File) bool {
	n, err := unix.IoctlGetInt(int(pipe.Fd()), unix.TIOCINQ) //nolint:gosec // a file descriptor fits an int
	return err == nil && n > 0
}
