package offline

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"norn/test/bed"

	"github.com/creack/pty"
)

// screen is a norn command at a terminal.
type screen struct {
	t   *testing.T
	cmd *exec.Cmd
	tty *os.File

	mu   sync.Mutex
	seen strings.Builder
}

// secretsAt creates an app with a key and a value, and runs norn at a terminal in its folder.
func secretsAt(t *testing.T, editor string, args ...string) *screen {
	t.Helper()
	bed.Norn(t)
	dir := t.TempDir()
	env := append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_RUNTIME_DIR=", "KUBECONFIG=",
		"SOPS_EDITOR=", "VISUAL=", "EDITOR="+editor, "WORK="+dir, screenTerm)
	files := map[string]string{
		"infraspec.yaml": "app: shop\nrole: worker\nsecrets: [TOKEN]\n", "editor.sh": editorScript,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{"norn secrets init", "echo canary-before | norn secrets set TOKEN"} {
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir, cmd.Env = dir, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", line, err, out)
		}
	}
	return newScreen(t, dir, env, args...)
}

// screenTerm selects a terminal type that norn does not query for its colors.
const screenTerm = "TERM=screen"

// newScreen runs norn at a terminal in a folder.
func newScreen(t *testing.T, dir string, env []string, args ...string) *screen {
	t.Helper()
	s := &screen{t: t, cmd: exec.Command("norn", args...)}
	s.cmd.Dir, s.cmd.Env = dir, env
	var err error
	if s.tty, err = pty.Start(s.cmd); err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := s.tty.Read(buf)
			s.mu.Lock()
			s.seen.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = s.tty.Close() })
	return s
}

// editorScript is an editor. $HOW selects whether it breaks the file and then fixes it, or waits.
const editorScript = `dirname "$1" >"$WORK/dir"
n=$(cat "$WORK/n" 2>/dev/null); echo x$n >"$WORK/n"
case "$HOW$n" in
fix) printf 'TOKEN: canary-broken\nx: : :\n' >"$1" ;;
fixx) printf 'TOKEN: canary-fixed\n' >"$1" ;;
wait) sleep 300 & wait ;;
esac
`

func (s *screen) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.String()
}

// until waits until a condition holds.
func (s *screen) until(condition string, holds func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("not within 2m: %s:\n%s", condition, s.shown())
		}
	}
}

func (s *screen) await(text string) {
	s.t.Helper()
	s.until(text, func() bool { return strings.Contains(s.shown(), text) })
}

func (s *screen) typing(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.tty, text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) file(name string) string {
	data, _ := os.ReadFile(filepath.Join(s.cmd.Dir, name))
	return strings.TrimSpace(string(data))
}

// ends waits until norn ends. It checks the exit code, and that norn has deleted the editor's file.
func (s *screen) ends(code int) {
	s.t.Helper()
	_ = s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d:\n%s", got, code, s.shown())
	}
	if dir := s.file("dir"); dir != "" {
		if _, err := os.Stat(dir); err == nil {
			s.t.Errorf("%s is not deleted", dir)
		}
	}
}

// token returns the value of TOKEN in the file.
func (s *screen) token() string {
	cmd := exec.Command("norn", "secrets", "exec", "--", "sh", "-c", `printf %s "$TOKEN"`)
	cmd.Dir, cmd.Env = s.cmd.Dir, s.cmd.Env
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatal(err)
	}
	return string(out)
}

// The terminal does not show a typed value.
func TestTypedSecretIsHidden(t *testing.T) {
	s := secretsAt(t, "", "secrets", "set", "TOKEN")
	s.await("TOKEN: ")
	s.typing("canary typed\n")
	s.await("changed TOKEN")
	s.ends(0)
	if strings.Contains(s.shown(), "canary") || s.token() != "canary typed" {
		t.Errorf("the screen shows %q", s.shown())
	}
}

// On a terminal, norn offers to add a new name to the infraspec.
func TestNewSecretIsDeclared(t *testing.T) {
	for _, c := range []struct {
		answer, want string
		warns        bool
		code         int
	}{
		{"\n", "secrets: [TOKEN, NEW]", false, 0},
		{"n\n", "secrets: [TOKEN]", true, 0},
		{"\x03", "secrets: [TOKEN]", true, 130},
	} {
		s := secretsAt(t, "", "secrets", "set", "NEW")
		s.await("NEW: ")
		s.typing("canary-typed\n")
		s.await("Add NEW to secrets in infraspec.yaml? [Y/n] ")
		s.typing(c.answer)
		s.ends(c.code)
		if got := s.file("infraspec.yaml"); !strings.HasSuffix(got, c.want) {
			t.Errorf("after %q, the infraspec is\n%s", c.answer, got)
		}
		const warning = "NEW is not declared"
		if c.warns {
			s.await(warning)
		} else if strings.Contains(s.shown(), warning) {
			t.Errorf("after %q, the screen shows %q", c.answer, s.shown())
		}
	}
}

// norn does not prompt for a value that it cannot store.
func TestNoPromptForUnstorableSecret(t *testing.T) {
	s := secretsAt(t, "", "secrets", "list")
	s.ends(0)
	for _, name := range []string{"secrets.enc.yaml", ".sops.yaml"} {
		if err := os.Remove(filepath.Join(s.cmd.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("norn", "secrets", "set", "TOKEN")
	cmd.Dir, cmd.Env = s.cmd.Dir, s.cmd.Env
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tty.Close() }()
	output, _ := io.ReadAll(tty) // a terminal's reader ends with an error
	_ = cmd.Wait()
	asked, hinted := strings.Contains(string(output), "TOKEN:"), strings.Contains(string(output), "norn secrets init")
	if code := cmd.ProcessState.ExitCode(); code != 2 || asked || !hinted {
		t.Errorf("exit code %d: %s", code, output)
	}
}

// Ctrl-C at the prompt ends norn and restores the terminal's echo.
func TestInterruptAtSecretPrompt(t *testing.T) {
	s := secretsAt(t, "", "secrets", "set", "TOKEN")
	s.await("TOKEN: ")
	s.typing("\x03")
	s.ends(130)
	if s.token() != "canary-before" {
		t.Error("the value has changed")
	}
}

// On a terminal, norn offers to edit a broken file again.
func TestSecretsEditedAgain(t *testing.T) {
	s := secretsAt(t, "HOW=fix sh $WORK/editor.sh", "secrets", "edit")
	s.await("Edit it again? [Y/n] ")
	s.typing("\n")
	s.await("changed TOKEN")
	s.ends(0)
	if strings.Contains(s.shown(), "canary") || s.token() != "canary-fixed" {
		t.Errorf("the screen shows %q", s.shown())
	}
	s = secretsAt(t, "HOW=fix sh $WORK/editor.sh", "secrets", "edit")
	s.await("Edit it again? [Y/n] ")
	s.typing("n\n")
	s.ends(2)
	if s.token() != "canary-before" {
		t.Error("the value has changed")
	}
}

// If a signal ends norn while the editor is open, no files remain and nothing changes. Ctrl-C goes to the editor.
func TestSecretsEditIsEnded(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		s := secretsAt(t, "HOW=wait sh $WORK/editor.sh", "secrets", "edit")
		s.until("the editor", func() bool { return s.file("n") != "" })
		if err := s.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		s.ends(130)
		if s.token() != "canary-before" {
			t.Errorf("%v: the value has changed", signal)
		}
	}
	s := secretsAt(t, "HOW=wait sh $WORK/editor.sh", "secrets", "edit")
	s.until("the editor", func() bool { return s.file("n") != "" })
	s.typing("\x03") // ends the editor, which is a shell
	s.ends(130)
}

// At the question whether to edit again, Ctrl-C and Ctrl-\ end norn as SIGTERM does, because no editor runs.
func TestSecretsEditIsEndedAtQuestion(t *testing.T) {
	for name, c := range map[string]struct {
		typed string // "" means SIGTERM
		code  int
	}{
		"SIGTERM": {"", 130},
		"Ctrl-C":  {"\x03", 130},
		"Ctrl-\\": {"\x1c", 2}, // of the invalid text
	} {
		t.Run(name, func(t *testing.T) {
			s := secretsAt(t, "HOW=fix sh $WORK/editor.sh", "secrets", "edit")
			s.await("Edit it again? [Y/n] ")
			if c.typed != "" {
				s.typing(c.typed)
			} else if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			watchdog := time.AfterFunc(time.Minute, func() { _ = s.cmd.Process.Kill() })
			defer watchdog.Stop()
			s.ends(c.code)
			if s.token() != "canary-before" {
				t.Error("the value has changed")
			}
		})
	}
}
