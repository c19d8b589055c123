//go:build !unix

package command

import (
	"os"
	"os/exec"
)

func separate(*exec.Cmd) {}

func stop(cmd *exec.Cmd) error { return cmd.Process.Signal(os.Interrupt) }
