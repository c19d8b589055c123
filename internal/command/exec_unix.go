//go:build unix

package command

import (
	"fmt"
	"os/exec"
	"syscall"
)

// Exec runs a program in place of this process, which so gets its terminal, its signals and its exit code. It returns only where that fails.
func Exec(args, env []string) error {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return fmt.Errorf("run %s: %w", args[0], err)
	}
	return fmt.Errorf("run %s: %w", args[0], syscall.Exec(path, args, env))
}
