//go:build unix

package command

import (
	"os/exec"
	"syscall"
)

// Exec replaces this process with a program, which inherits the terminal and the signals and determines the exit code.
// It returns only on failure, a *StartError.
func Exec(args, env []string) error {
	path, err := exec.LookPath(args[0])
	if err == nil {
		err = syscall.Exec(path, args, env)
	}
	return &StartError{args[0], err}
}
