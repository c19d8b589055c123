package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Self runs norn itself, with its own environment, and returns its exit code. When ctx ends, Self interrupts it and
// waits for its end, because it may have to restore something. It has no terminal: a second Ctrl-C would end it
// at once, and a question on the terminal would stop it.
func Self(ctx context.Context, stdout, stderr io.Writer, args ...string) (code int, err error) {
	path, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("find norn: %w", err)
	}
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // norn itself
	cmd.Args[0] = os.Args[0]                       // also as kubectl's plugin
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.Cancel = func() error { return stop(cmd) }
	separate(cmd)
	err = cmd.Run()
	if cmd.ProcessState == nil {
		return 0, fmt.Errorf("run norn: %w", err)
	}
	if exit, failed := errors.AsType[*exec.ExitError](err); failed && exit.ExitCode() < 0 {
		return 0, fmt.Errorf("run norn: %w", err)
	}
	return cmd.ProcessState.ExitCode(), nil
}
