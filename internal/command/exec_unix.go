//go:build unix

package command

import (
	"fmt"
	"os/exec"
	"syscall"
)

// Exec replaces this process with a program, which inherits the terminal and the signals and determines the exit code.
// It returns only on failure.
func Exec(args, env []string) error {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return fmt.Errorf("run %s: %w", args[0], err)
	}
	return fmt.Errorf("run %s: %w", args[0], syscall.Exec(path, args, env))
}
