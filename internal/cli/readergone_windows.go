package cli

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

// isPipeClosed also accepts the errors of WriteFile: ERROR_NO_DATA while the pipe is being closed, ERROR_BROKEN_PIPE
// after that.
func isPipeClosed(err error) bool {
	return errors.Is(err, windows.ERROR_NO_DATA) || errors.Is(err, windows.ERROR_BROKEN_PIPE) ||
		errors.Is(err, syscall.EPIPE)
}
