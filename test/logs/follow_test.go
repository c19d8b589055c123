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

// following is a running norn logs -f.
type following struct {
	cmd  *exec.Cmd
	err  bytes.Buffer
	read chan struct{}
	kept *keptLogs // log files to compare with after a failure, or nil
	*tally
}

// follow starts norn logs -f and counts its lines. It reads the output through the given wrapper.
func (b *world) follow(through func(io.Reader) io.Reader, args ...string) *following {
	b.T.Helper()
	f := &following{
		cmd:   b.Command(b.Kubeconfig, append([]string{"logs", "-f", "-v"}, args...)...),
		tally: newTally(), read: make(chan struct{}),
	}
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
			messages := f.about(f.err.String())
			b.T.Logf("last messages of norn logs:\n%s", strings.Join(messages[max(0, len(messages)-100):], "\n"))
		}
	})
	go func() {
		defer close(f.read)
		f.tally.read(through(out))
	}()
	return f
}

// stop interrupts norn and checks its exit code.
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
	if found := warnings.FindAllString(f.err.String(), 5); len(found) > 0 {
		t.Logf("warnings, which are allowed if norn cannot be sure:\n%s", strings.Join(found, "\n"))
	}
}

// warnings matches warnings about missing lines.
var warnings = regexp.MustCompile(`(?m)^Warning: .*(missing|cannot).*$`)
