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

// Options are how a program is run.
type Options struct {
	Dir            string    // where; "" is here
	Stdin          io.Reader // nil is nothing
	Stdout, Stderr io.Writer
	Env            []string   // NAME=VALUE, besides norn's own
	Files          []*os.File // the program's open files from number 3 on
}

// Run runs a child process with all its output on out.
func Run(ctx context.Context, dir string, out io.Writer, name string, args ...string) error {
	return RunWith(ctx, Options{Dir: dir, Stdout: out, Stderr: out}, name, args...)
}

// Installed reports whether there is a command of this name.
func Installed(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// Output runs a child process and returns its standard output; what else it says goes to out.
func Output(ctx context.Context, dir string, out io.Writer, name string, args ...string) ([]byte, error) {
	var stdout bytes.Buffer
	err := RunWith(ctx, Options{Dir: dir, Stdout: &stdout, Stderr: out}, name, args...)
	return stdout.Bytes(), err
}

// LastLine is the last line of what a program has said.
func LastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// RunWith runs a child process without norn's keys in its environment, and lets it end in order when ctx does.
func RunWith(ctx context.Context, o Options, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = o.Dir, o.Stdin, o.Stdout, o.Stderr, o.Files
	cmd.Env = append(Environment(), o.Env...)
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

// KeyVariables hold keys themselves, which are norn's business and not a build's.
func KeyVariables() []string { return []string{"SOPS_AGE_KEY", "NORN_GIT_TOKEN"} }

// Environment is norn's environment without the keys in it.
func Environment() []string {
	return Without(os.Environ(), KeyVariables()...)
}

// Without is an environment without some of its variables.
func Without(env []string, names ...string) []string {
	return slices.DeleteFunc(env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(names, name)
	})
}
