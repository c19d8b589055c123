//go:build !windows

package cli

import (
	"errors"
	"syscall"
)

func isPipeClosed(err error) bool { return errors.Is(err, syscall.EPIPE) }
