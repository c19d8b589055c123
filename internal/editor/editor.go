// Package editor lets a user edit a secret text without leaving a copy. It keeps the text in a private folder, in
// memory if possible, and wipes it even if the editor fails.
package editor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"norn/internal/command"
)

// Session edits one text.
type Session struct {
	Name string // name of the file, which tells the editor its type
	Text []byte
	// AtTerminal leaves Ctrl-C and Ctrl-\ to the editor while it runs, as git does.
	AtTerminal bool
	// OnDisk is called if the folder is on disk because no folder in memory is available.
	OnDisk func(dir string)
	// Accept receives the edited text, and reports whether the user must edit it again. Its context ends with the
	// session.
	Accept func(ctx context.Context, text []byte) (again bool, err error)
}

// MissingError reports that no editor was found.
type MissingError struct{}

// Error returns a fixed text.
func (*MissingError) Error() string { return "no editor found" }

// Hint returns the next step.
func (*MissingError) Hint() string { return "set EDITOR, for example EDITOR=vim" }

// Run opens the editor until Accept accepts the text. A signal to norn ends it early.
func (s Session) Run(ctx context.Context) (err error) {
	var editing atomic.Bool
	ctx, stop := s.guard(ctx, &editing)
	defer stop()
	name, args, err := find()
	if err != nil {
		return err
	}
	dir, lock, err := s.privateDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, wipe(dir), lock.Close()) }()
	path := filepath.Join(dir, s.Name)
	if err := os.WriteFile(path, s.Text, 0o600); err != nil {
		return fmt.Errorf("write the text to edit: %w", err)
	}
	for {
		editing.Store(true)
		err := open(ctx, name, append(args, path))
		editing.Store(false)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read the edited text: %w", err)
		}
		again, err := s.Accept(ctx, text)
		clear(text)
		if !again || err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// guard keeps signals from ending the process before the text is wiped. They cancel the context instead, unless they
// are meant for the editor.
func (s Session) guard(ctx context.Context, editing *atomic.Bool) (context.Context, func()) {
	outer := ctx
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	if !signal.Ignored(syscall.SIGHUP) { // by nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		for {
			select {
			case got := <-signals:
				if s.AtTerminal && editing.Load() && (got == os.Interrupt || got == syscall.SIGQUIT) {
					continue
				}
				select { // the signal ends both contexts, the outer one first, because it determines the exit code
				case <-outer.Done():
				case <-time.After(time.Second):
				}
				cancel(fmt.Errorf("the editor was stopped, and nothing was changed: %s signal received", got))
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}

// stopTimeout is how long norn waits for the editor to exit after SIGTERM.
const stopTimeout = 2 * time.Second

func open(ctx context.Context, name string, args []string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = command.Environment()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("editor %s failed, and nothing was changed: %w", filepath.Base(name), err)
	}
	return nil
}

// variables are the variables that name the editor. The first one set wins.
var variables = []string{"SOPS_EDITOR", "VISUAL", "EDITOR"}

// find returns the editor's command and its arguments.
func find() (name string, args []string, err error) {
	for _, v := range variables {
		line := os.Getenv(v)
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case strings.ContainsAny(line, `|&;<>()$`+"`\\\"'*?[#~=%"): // like git, use a shell only if necessary
			return "/bin/sh", []string{"-c", addPrivacyArgs(line) + ` "$@"`, words[0]}, nil
		default:
			return words[0], append(vimPrivacyArgs(words[0]), words[1:]...), nil
		}
	}
	for _, name := range []string{"vim", "nano", "vi"} {
		if command.Installed(name) {
			return name, vimPrivacyArgs(name), nil
		}
	}
	return "", nil, &MissingError{}
}

// addPrivacyArgs adds vimPrivacyArgs to a shell's command line if it starts vim. They come first, because an argument
// such as +wq ends vim.
func addPrivacyArgs(line string) string {
	end := 0
	for _, word := range strings.Fields(line) {
		end += strings.Index(line[end:], word) + len(word)
		if word == "env" || word == "exec" || assignment.MatchString(word) {
			continue
		}
		if args := vimPrivacyArgs(program(word)); args != nil {
			return line[:end] + " '" + strings.Join(args, "' '") + "'" + line[end:]
		}
		break
	}
	return line
}

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// program returns the program that a shell runs for a word. It expands quotes, variables and ~/ only.
func program(word string) string {
	name := os.ExpandEnv(strings.Trim(word, `'"\`))
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		name = filepath.Join(os.Getenv("HOME"), rest)
	}
	return name
}

// vimPrivacyArgs returns the arguments that keep vim from copying the text to its swap, undo, backup and viminfo files.
func vimPrivacyArgs(name string) []string {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if base := filepath.Base(path); !strings.Contains(base, "vim") {
		return nil
	}
	return []string{"-n", "-i", "NONE", "-c", "set noswapfile nobackup nowritebackup noundofile"}
}
