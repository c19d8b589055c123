//go:build linux

package ui

import (
	"bufio"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
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

// norn reads the terminal's answer, keeps what the user types meanwhile, and leaves what follows to the next reader.
func TestQueryBackground(t *testing.T) {
	for name, c := range map[string]struct {
		earlier, typed string
		answer         background
		kept, left     string
	}{
		"an answer":         {"", "\x1b]11;rgb:ffff/ffff/ffff\x07\x1b[?6cleft\n", lightBackground, "", "left\n"},
		"an early key":      {"", "y\x1b]11;rgb:0/0/0\x07\x1b[?6cleft\n", darkBackground, "y", "left\n"},
		"typed before that": {"left\n", "", unknownBackground, "", "left\n"},
	} {
		t.Run(name, func(t *testing.T) {
			keyboard, terminal, err := pty.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = keyboard.Close(); _ = terminal.Close() }()
			if _, err := keyboard.WriteString(c.earlier); err != nil {
				t.Fatal(err)
			}
			go func() {
				shown := bufio.NewReader(keyboard)
				_, _ = shown.ReadString('c') // the end of the queries
				_, _ = keyboard.WriteString(c.typed)
			}()
			answer, typed := queryBackground(terminal, time.Minute)
			if answer != c.answer || string(typed) != c.kept {
				t.Errorf("the background is %d, and %q was typed; want %d and %q", answer, typed, c.answer, c.kept)
			}
			if line, err := bufio.NewReader(terminal).ReadString('\n'); line != c.left {
				t.Errorf("the next reader gets %q, %v, want %q", line, err, c.left)
			}
			state, err := unix.IoctlGetTermios(int(terminal.Fd()), getTermios)
			if err != nil || state.Lflag&unix.ECHO == 0 || state.Lflag&unix.ICANON == 0 {
				t.Errorf("the terminal is not as before: %v", err)
			}
		})
	}
}

// Text fits the width of a terminal, even if TERM is dumb.
func TestTerminalWidth(t *testing.T) {
	for _, term := range []string{"dumb", "xterm"} {
		t.Setenv("TERM", term)
		t.Setenv("NO_COLOR", "1")
		keyboard, terminal, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		if err := pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: 40}); err != nil {
			t.Fatal(err)
		}
		long := "a lower-case letter, then letters, digits and signs"
		PrintTable(terminal, []string{"NAME", "DIGEST"}, [][]Cell{{{Text: "shop"}, {Text: long}}}, "DIGEST")
		PrintTable(terminal, []string{"NAME", "TEXT"}, [][]Cell{{{Text: "shop"}, {Text: long}}})
		(&Prompt{out: terminal}).Say(long)
		PrintWarning(terminal, long)
		PrintPrefixed(terminal, "shop | ", long)
		PrintFinding(terminal, Finding{File: "f", Line: 1, Column: 1, EndColumn: 2, Source: long, Message: "m"})
		_ = terminal.Close()
		shown, _ := io.ReadAll(keyboard) // a terminal's reader ends with an error
		for line := range strings.Lines(string(shown)) {
			line = strings.TrimRight(line, "\r\n")
			if ansi.StringWidth(line) > 40 || strings.HasSuffix(line, "dig") {
				t.Errorf("TERM=%s: %q does not fit", term, line)
			}
		}
		if !strings.Contains(string(shown), "  a lower-case letter, then letters,\r\n  digits and signs") {
			t.Errorf("TERM=%s: %q", term, shown)
		}
		if !strings.Contains(string(shown), "shop | a lower-case letter, then\r\n       letters, digits and signs") {
			t.Errorf("TERM=%s: no line after its prefix in %q", term, shown)
		}
		_ = keyboard.Close()
	}
}

// At a terminal, words keep their form and data its tabs.
func TestDataAtTerminal(t *testing.T) {
	terminal, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	defer func() { _ = tty.Close() }()
	if _, err := term.MakeRaw(int(tty.Fd())); err != nil {
		t.Fatal(err)
	}
	if err := PrintData(tty, []byte("a:\tสวัสดี\u200bชาวโลก\x1b[2J\u202e\nb\n")); err != nil {
		t.Fatal(err)
	}
	const want = "a:\tสวัสดีชาวโลก [2J \nb\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(terminal, got); err != nil || string(got) != want {
		t.Errorf("got %q, want %q: %v", got, want, err)
	}
}
