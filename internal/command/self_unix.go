//go:build unix

package command

import (
	"os/exec"
	"syscall"
)

// separate gives a process a group of its own, to which the terminal sends no signals.
func separate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
