package ui

import "golang.org/x/sys/windows"

// hideEcho stops the console from showing typed text. The caller restores the console's state.
func hideEcho(fd int) error {
	console := windows.Handle(uintptr(fd)) //nolint:gosec // no arithmetic is done with the handle
	var mode uint32
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return err
	}
	return windows.SetConsoleMode(console, mode&^windows.ENABLE_ECHO_INPUT)
}
