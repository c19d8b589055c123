// Package command runs other programs, without norn's keys and without the caller's git repository in their
// environment. It also keeps other processes from reading the keys in norn's own environment and memory.
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
	Env            []string   // NAME=VALUE, in addition to norn's environment
	Foreign        bool       // the repository decides what runs, so the process gets no Credentials
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
	env := Without(Environment(), repositoryVariables...)
	if o.Foreign {
		env = Without(env, Credentials()...)
	}
	cmd.Env = slices.Concat(env, o.Env)
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

// repositoryVariables are the variables by which git tells hooks and aliases about their repository. A program that
// norn runs works in another folder, where they would select the wrong repository, commit or files. The first group is
// from git rev-parse --local-env-vars. Like git for a submodule, norn keeps GIT_CONFIG_COUNT and GIT_CONFIG_PARAMETERS:
// they contain settings of the user, such as safe.directory and url.insteadOf.
var repositoryVariables = []string{
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_DIR", "GIT_GRAFT_FILE",
	"GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NO_REPLACE_OBJECTS",
	"GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",

	"GIT_ATTR_SOURCE", "GIT_NAMESPACE", "GIT_QUARANTINE_PATH",
	"GIT_GLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_LITERAL_PATHSPECS", "GIT_NOGLOB_PATHSPECS",
}

// Environment returns norn's environment without KeyVariables, for a program of the user's choice.
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
