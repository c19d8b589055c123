// Package command runs other programs without norn's keys in their environment.
package command

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Run runs a child process with all its output on out.
func Run(ctx context.Context, dir string, out io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	return execute(ctx, cmd)
}

// Installed reports whether there is a command of this name.
func Installed(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// Answer runs a child process and returns its standard output; what else it says goes to out.
func Answer(ctx context.Context, dir string, out io.Writer, name string, args ...string) ([]byte, error) {
	var stdout bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, out
	err := execute(ctx, cmd)
	return stdout.Bytes(), err
}

// execute runs cmd without norn's keys in its environment, and lets it end in order when ctx does.
func execute(ctx context.Context, cmd *exec.Cmd) error {
	cmd.Env = Environment()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second // then it is killed
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	}
	return nil
}

// keyVariables hold keys themselves, which are norn's business and not a build's.
var keyVariables = []string{"SOPS_AGE_KEY", "NORN_GIT_TOKEN"}

// Environment is norn's environment without the keys in it.
func Environment() []string {
	return Without(os.Environ(), keyVariables...)
}

// Without is an environment without some of its variables.
func Without(env []string, names ...string) []string {
	return slices.DeleteFunc(env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(names, name)
	})
}
