package ui

import "golang.org/x/sys/unix"

// The ioctl requests of hideEcho (man 4 tty_ioctl).
const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
)
