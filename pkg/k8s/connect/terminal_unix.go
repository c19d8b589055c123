//go:build unix

package connect

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// leaveTerminal puts this process into a session of its own, which has no terminal: neither it nor its children can open /dev/tty from then on.
// A process that leads a group cannot; a shell runs what completes a line in its own group.
func leaveTerminal() error {
	if _, err := syscall.Setsid(); err != nil {
		return fmt.Errorf("leave the terminal: %w", err)
	}
	return nil
}

// endSession ends the other processes of the session that leaveTerminal has made: they are this one's children.
func endSession() {
	if session, err := unix.Getsid(0); err == nil && session == os.Getpid() {
		signal.Ignore(syscall.SIGTERM)
		_ = syscall.Kill(0, syscall.SIGTERM)
	}
}
