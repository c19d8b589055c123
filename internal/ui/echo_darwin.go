package ui

import "golang.org/x/sys/unix"

// The ioctl requests of hideEcho (man 4 termios).
const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)
