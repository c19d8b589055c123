//go:build linux || darwin

package ui

import "golang.org/x/sys/unix"

// hideEcho stops the terminal from showing typed text. The caller restores the terminal's state.
func hideEcho(fd int) error {
	state, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return err
	}
	state.Lflag &^= unix.ECHO
	return unix.IoctlSetTermios(fd, setTermios, state)
}
