//go:build unix

package command

import (
	"os/exec"
	"syscall"
)

// separate gives a process a session of its own. The terminal sends it no signals, and it cannot ask on the terminal,
// which would stop it.
func separate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// stop asks a process to end. After SIGTERM, norn gives up if a write is blocked.
func stop(cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGTERM) }
