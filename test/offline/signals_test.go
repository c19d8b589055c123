package offline

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"norn/test/bed"
)

// reading is a norn command that is blocked in a read of a pipe.
type reading struct {
	*exec.Cmd
	t    *testing.T
	out  strings.Builder
	pipe *os.File // the pipe's other end
}

// startReading starts a shell command in the folder of an app with secrets, and waits until it has opened $PIPE.
func startReading(t *testing.T, line string) *reading {
	t.Helper()
	bed.Norn(t)
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	bed.WriteFiles(t, dir, map[string]string{"infraspec.yaml": "app: shop\nrole: worker\nsecrets: [TOKEN]\n"})
	env := append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "KUBECONFIG=", "PIPE="+pipe)
	first := exec.Command("norn", "secrets", "init")
	first.Dir, first.Env = dir, env
	bed.Run(t, first)
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	r := &reading{Cmd: exec.Command("sh", "-c", line), t: t}
	r.Dir, r.Env, r.Stdout, r.Stderr = dir, env, &r.out, &r.out
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Process.Kill() })
	bed.Eventually(t, time.Minute, "norn reads the pipe", func() bool {
		var err error // a writer can open a pipe without waiting only if it has a reader
		r.pipe, err = os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return err == nil
	})
	t.Cleanup(func() { _ = r.pipe.Close() })
	return r
}

func (r *reading) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.Process.Signal(s); err != nil {
		r.t.Error(err)
	}
}

func (r *reading) ends(code int, text string) {
	r.t.Helper()
	_ = r.Wait()
	if got := r.ProcessState.ExitCode(); got != code || !strings.Contains(r.out.String(), text) {
		r.t.Errorf("exit code %d, want %d and %q:\n%s", got, code, text, r.out.String())
	}
}

// A signal ends norn while it waits for a value. So does a terminal that is closed, except under nohup.
func TestSignalDuringRead(t *testing.T) {
	t.Parallel()
	const set = "exec norn secrets set TOKEN --from-file $PIPE"
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		r := startReading(t, set)
		r.signal(s)
		r.ends(130, "Interrupted: read the value")
	}
	r := startReading(t, "trap '' HUP; "+set)
	r.signal(syscall.SIGHUP)
	if _, err := r.pipe.WriteString("canary"); err != nil {
		t.Error(err)
	}
	_ = r.pipe.Close()
	r.ends(0, "added TOKEN")
}

// SIGTERM and a closed terminal, also after Ctrl-C, end norn even during a read that cannot be interrupted. A file on a
// server that does not answer causes such a read.
func TestSignalDuringBlockedRead(t *testing.T) {
	t.Parallel()
	for name, signals := range map[string][]syscall.Signal{
		"SIGTERM":                {syscall.SIGTERM},
		"SIGHUP":                 {syscall.SIGHUP},
		"SIGINT and then SIGHUP": {syscall.SIGINT, syscall.SIGHUP},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startReading(t, "exec norn status --kubeconfig $PIPE")
			for _, s := range signals {
				r.signal(s)
			}
			watchdog := time.AfterFunc(time.Minute, func() { _ = r.Process.Kill() })
			defer watchdog.Stop()
			r.ends(130, "Interrupted: a read or write is blocked")
		})
	}
}
