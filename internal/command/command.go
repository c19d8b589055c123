// Package command runs other programs, without norn's keys in their environment.
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

// Options configure a child process.
type Options struct {
	Dir            string    // working directory; "" means norn's
	Stdin          io.Reader // nil means empty
	Stdout, Stderr io.Writer
	Env            []string   // NAME=VALUE, in addition to Environment
	Files          []*os.File // file descriptors from 3 on
}

// Run runs a child process and writes all its output to out.
func Run(ctx context.Context, dir string, out io.Writer, name string, args ...string) error {
	return RunWith(ctx, Options{Dir: dir, Stdout: out, Stderr: out}, name, args...)
}

// Installed reports whether a command is in PATH.
func Installed(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// Output runs a child process and returns its standard output. It writes standard error to out.
func Output(ctx context.Context, dir string, out io.Writer, name string, args ...string) ([]byte, error) {
	var stdout bytes.Buffer
	err := RunWith(ctx, Options{Dir: dir, Stdout: &stdout, Stderr: out}, name, args...)
	return stdout.Bytes(), err
}

// LastLine returns the last line of a text, without trailing blank lines.
func LastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// RunWith runs a child process. When ctx ends, it interrupts the process, and kills it if it does not exit in time.
func RunWith(ctx context.Context, o Options, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = o.Dir, o.Stdin, o.Stdout, o.Stderr, o.Files
	cmd.Env = append(Environment(), o.Env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second // between interrupt and kill
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	}
	return nil
}

// KeyVariables returns the names of the variables that contain keys. Child processes such as builds must not see them.
func KeyVariables() []string { return []string{"SOPS_AGE_KEY", "NORN_GIT_TOKEN"} }

// Environment returns norn's environment without KeyVariables.
func Environment() []string {
	return Without(os.Environ(), KeyVariables()...)
}

// Without returns env without the named variables.
func Without(env []string, names ...string) []string {
	return slices.DeleteFunc(env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(names, name)
	})
}
