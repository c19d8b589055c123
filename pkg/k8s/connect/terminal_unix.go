//go:build unix

package connect

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// leaveTerminal moves this process to a new session without a terminal, so neither it nor its children can open
// /dev/tty. It fails for the leader of a process group, but a shell runs completions in its own group.
func leaveTerminal() error {
	if _, err := syscall.Setsid(); err != nil {
		return fmt.Errorf("leave the terminal: %w", err)
	}
	return nil
}

// endSession terminates this process's children, if leaveTerminal created its session. No child can be started after
// it: a plugin that starts at this moment would inherit that SIGTERM is ignored, and outlive norn.
func endSession() {
	if session, err := unix.Getsid(0); err == nil && session == os.Getpid() {
		syscall.ForkLock.RLock() // held until the process ends
		signal.Ignore(syscall.SIGTERM)
		_ = syscall.Kill(0, syscall.SIGTERM)
	}
}
