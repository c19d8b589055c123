//go:build linux || darwin

package ui

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// askBackground asks a terminal for its background. It returns what the user typed meanwhile. It does not ask if
// another program controls the terminal.
func askBackground(terminal *os.File, timeout time.Duration) (background, []byte) {
	flags, err := unix.FcntlInt(terminal.Fd(), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_ACCMODE != unix.O_RDWR {
		return unknownBackground, nil
	}
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP) //nolint:gosec // a file descriptor fits an int
	if err != nil || group != unix.Getpgrp() {
		return unknownBackground, nil
	}
	return queryBackground(terminal, timeout)
}

// queryBackground asks a terminal for its background, unless the user has typed already.
func queryBackground(terminal *os.File, timeout time.Duration) (background, []byte) {
	fd := int(terminal.Fd()) //nolint:gosec // a file descriptor fits an int
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return unknownBackground, nil
	}
	unbuffered := *before
	unbuffered.Lflag &^= unix.ECHO | unix.ICANON
	unbuffered.Cc[unix.VMIN], unbuffered.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, setTermios, &unbuffered); err != nil {
		return unknownBackground, nil
	}
	defer func() { _ = unix.IoctlSetTermios(fd, setTermios, before) }()
	if readable(fd, 0) {
		return unknownBackground, nil
	}
	if _, err := terminal.WriteString(backgroundQuery); err != nil {
		return unknownBackground, nil
	}
	var read []byte
	deadline := time.Now().Add(timeout)
	for !lastAnswer.Match(read) && readable(fd, time.Until(deadline)) {
		var b [1]byte // not more: the rest is for another reader
		if n, err := unix.Read(fd, b[:]); err != nil || n == 0 {
			break
		}
		read = append(read, b[0])
	}
	return parseAnswers(read)
}

// readable waits until a read would not block. It returns false after the timeout.
func readable(fd int, timeout time.Duration) bool {
	deadline := time.Now().Add(timeout)
	for {
		var set unix.FdSet
		set.Set(fd)
		wait := unix.NsecToTimeval(max(0, time.Until(deadline)).Nanoseconds())
		n, err := unix.Select(fd+1, &set, nil, nil, &wait)
		if err != unix.EINTR {
			return err == nil && n > 0
		}
	}
}
