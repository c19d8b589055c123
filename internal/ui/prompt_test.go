//go:build linux

package ui

import (
	"bufio"
	"os"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// echoRecorder is a writer that records at each write whether the terminal echoes input.
type echoRecorder struct {
	terminal *os.File
	echoed   []bool
}

func (e *echoRecorder) Write(p []byte) (int, error) {
	state, err := unix.IoctlGetTermios(int(e.terminal.Fd()), getTermios)
	if err != nil {
		return 0, err
	}
	e.echoed = append(e.echoed, state.Lflag&unix.ECHO != 0)
	return len(p), nil
}

// Text pasted as soon as the prompt appears is not visible. Later, the terminal's state is restored.
func TestAskHiddenHidesBeforeThePrompt(t *testing.T) {
	keyboard, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = keyboard.Close(); _ = terminal.Close() }()
	if _, err := keyboard.WriteString("canary typed\n"); err != nil {
		t.Fatal(err)
	}
	out := &echoRecorder{terminal: terminal}
	line, err := (&Prompt{bufio.NewReader(terminal), terminal, out}).AskHidden(t.Context(), "TOKEN: ")
	if err != nil || line != "canary typed" {
		t.Errorf("answered %q, %v", line, err)
	}
	if len(out.echoed) == 0 || out.echoed[0] {
		t.Error("the terminal echoes input when the prompt appears")
	}
	if _, err := out.Write(nil); err != nil || !out.echoed[len(out.echoed)-1] {
		t.Errorf("the terminal does not echo input afterwards: %v", err)
	}
}
