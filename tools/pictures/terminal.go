package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// The terminal's size in characters. A picture is only as high as its text.
const (
	columns = 100
	rows    = 32
)

// terminal is a command that runs at a terminal.
type terminal struct {
	screen *vt.Emulator
	tty    *os.File
	cmd    *exec.Cmd
	cancel context.CancelFunc
	ended  bool
}

// start runs a norn command at a terminal with a dark background, below a prompt with the command's text.
func (s *studio) start(command string) (*terminal, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	words := strings.Fields(command)
	cmd := exec.CommandContext(ctx, s.norn, words[1:]...)
	cmd.Dir = s.app
	// Describe the terminal in the environment, so that norn need not query it.
	cmd.Env = append(os.Environ(), "TERM=screen-256color", "COLORFGBG=15;0")
	t := &terminal{screen: vt.NewEmulator(columns, rows), cmd: cmd, cancel: cancel}
	if _, err := t.screen.WriteString("\x1b[1m$ " + command + "\x1b[0m\r\n"); err != nil {
		return nil, err
	}
	var err error
	t.tty, err = pty.StartWithSize(cmd, &pty.Winsize{Rows: rows, Cols: columns})
	return t, err
}

// until waits until wanted accepts the terminal's text. With atEnd, it waits until the command ends.
func (t *terminal) until(wanted func(text string) bool) (shot, error) {
	buf := make([]byte, 1<<16)
	for !t.ended {
		n, err := t.tty.Read(buf)
		if _, err := t.screen.Write(buf[:n]); err != nil {
			return shot{}, err
		}
		if n > 0 && wanted(t.screen.String()) {
			return shoot(t.screen), nil
		}
		if err != nil { // EIO on Linux, after the command has ended
			t.end()
		}
	}
	if text := t.screen.String(); !wanted(text) && !wanted("") {
		return shot{}, fmt.Errorf("%s has ended, and this was not what was waited for:\n%s", t.cmd, text)
	}
	return shoot(t.screen), nil
}

// atEnd accepts no text, for pictures of a command that has ended.
func atEnd(text string) bool { return text == "" }

// end ends the command like Ctrl-C.
func (t *terminal) end() {
	if t.ended {
		return
	}
	t.ended = true
	if err := t.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.cancel()
	}
	time.AfterFunc(10*time.Second, t.cancel)
	_ = t.cmd.Wait() // the terminal shows how it ended
	_ = t.tty.Close()
	t.cancel()
}
