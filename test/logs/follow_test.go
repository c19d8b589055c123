package logs

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// following is a norn logs -f that runs.
type following struct {
	cmd  *exec.Cmd
	err  bytes.Buffer
	read chan struct{}
	kept *keptLogs // what it is compared with where it fails, or nil
	*tally
}

// follow starts norn logs -f and counts its lines; through may slow its reader down.
func (b *world) follow(through func(io.Reader) io.Reader, args ...string) *following {
	b.T.Helper()
	f := &following{cmd: b.Command(b.Kubeconfig, append([]string{"logs", "-f", "-v"}, args...)...), tally: newTally(), read: make(chan struct{})}
	f.cmd.Stderr = &f.err
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		b.T.Fatal(err)
	}
	if err := f.cmd.Start(); err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(func() {
		_ = f.cmd.Process.Kill()
		if b.T.Failed() {
			f.check(b.T)
			if f.kept != nil {
				f.compare(b.T, f.kept)
			}
			said := f.about(f.err.String())
			b.T.Logf("norn logs said last:\n%s", strings.Join(said[max(0, len(said)-100):], "\n"))
		}
	})
	go func() {
		defer close(f.read)
		f.tally.read(through(out))
	}()
	return f
}

// stop interrupts it, and checks that it ends at once and as it should.
func (f *following) stop(t testing.TB) {
	t.Helper()
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-f.read
	err := f.cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 130 {
		t.Errorf("interrupted: %v", err)
	}
	if warnings := regexp.MustCompile(`(?m)^Warning: .*(missing|cannot).*$`).FindAllString(f.err.String(), 5); len(warnings) > 0 {
		t.Logf("it warned, which it may where it cannot know:\n%s", strings.Join(warnings, "\n"))
	}
}
