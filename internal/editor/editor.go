// Package editor lets a user edit a text that must not stay anywhere: it lies in a private folder, in memory where the system has one, and
// is wiped on every way out.
package editor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"norn/internal/command"
)

// Session is one text in an editor.
type Session struct {
	Name string // of the file, which tells the editor what it is
	Text []byte
	// AtTerminal leaves Ctrl-C to the editor, as git does.
	AtTerminal bool
	// OnDisk is told where there is no folder in memory.
	OnDisk func(dir string)
	// Accept takes the edited text. Where it wants it edited again, it says so.
	Accept func(text []byte) (again bool, err error)
}

// MissingError says that there is no editor.
type MissingError struct{}

// Error says where one is looked for.
func (*MissingError) Error() string { return "there is no editor" }

// Hint is what to do about it.
func (*MissingError) Hint() string { return "set EDITOR, such as EDITOR=vim" }

// Run opens the editor until the text is accepted. It ends early with a signal that is meant for norn.
func (s Session) Run(ctx context.Context) (err error) {
	ctx, stop := s.guard(ctx)
	defer stop()
	name, args, err := find()
	if err != nil {
		return err
	}
	dir, err := s.privateDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, wipe(dir)) }()
	path := filepath.Join(dir, s.Name)
	if err := os.WriteFile(path, s.Text, 0o600); err != nil {
		return fmt.Errorf("write the text to edit: %w", err)
	}
	for {
		if err := open(ctx, name, append(args, path)); err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read the edited text: %w", err)
		}
		again, err := s.Accept(text)
		clear(text)
		if !again || err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// guard keeps signals from ending the process before the text is wiped. Those that are not the editor's own business end the context.
func (s Session) guard(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	go func() {
		for {
			select {
			case got := <-signals:
				if s.AtTerminal && (got == os.Interrupt || got == syscall.SIGQUIT) {
					continue
				}
				cancel(fmt.Errorf("the editor was ended, and nothing was changed: %s signal received", got))
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}

// patience is how long an editor that is told to end may take.
const patience = 2 * time.Second

func open(ctx context.Context, name string, args []string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = command.Environment()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("the editor %s failed, and nothing was changed: %w", filepath.Base(name), err)
	}
	return nil
}

// variables name the editor; the first that is set counts.
var variables = []string{"SOPS_EDITOR", "VISUAL", "EDITOR"}

// find is the editor's command and its arguments.
func find() (name string, args []string, err error) {
	for _, v := range variables {
		if words := strings.Fields(os.Getenv(v)); len(words) > 0 {
			if strings.ContainsAny(os.Getenv(v), `|&;<>()$`+"`\\\"'*?[#~=%") { // as git has it: only then a shell is needed
				return "/bin/sh", []string{"-c", os.Getenv(v) + ` "$@"`, words[0]}, nil
			}
			return words[0], append(words[1:], traceless(words[0])...), nil
		}
	}
	for _, name := range []string{"vim", "nano", "vi"} {
		if command.Installed(name) {
			return name, traceless(name), nil
		}
	}
	return "", nil, &MissingError{}
}

// traceless are arguments that keep vim from noting down elsewhere what it edits: in its swap, undo, backup and viminfo files.
func traceless(name string) []string {
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
