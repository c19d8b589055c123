package control

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"norn/test/bed"
)

// A stalled log stream does not keep a command waiting after its container has ended. A node that dies while it sends
// the log causes that. The command fails, because its output is incomplete.
func TestStalledLogOfJob(t *testing.T) {
	t.Parallel()
	w := running(t)
	api := disturbed(w, bed.Fault{Path: "/pods/[^/]+/log.*follow=true", Do: bed.Stream("2026-01-02T03:04:05.0Z hello\n")},
		bed.Fault{Path: "/pods/[^/]+/log", Do: bed.Stall})
	out, code := bounded(w, api, "run", "shop", "--", "/bin/true")
	for _, text := range []string{
		"hello", "no data for 10s", "the container exited with code 0, but part of its output was not read",
	} {
		if code != 1 || !strings.Contains(out, text) {
			t.Errorf("exit code %d, want 1 and %q:\n%s", code, text, out)
		}
	}
	if left := w.Kubectl("get", "jobs", "-o", "name"); left != "" {
		t.Errorf("left: %s", left)
	}
}

// A reader that pauses for longer than a log may still gets the whole output.
func TestStalledLogIsNoSlowReader(t *testing.T) {
	t.Parallel()
	w := running(t)
	var log, want bytes.Buffer
	for i := range 20000 { // more than fits into a pipe
		fmt.Fprintf(&log, "2026-01-02T03:04:05.%09dZ line %d\n", i, i)
		fmt.Fprintf(&want, "line %d\n", i)
	}
	send := func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { _, _ = w.Write(log.Bytes()) }
	api := disturbed(w, bed.Fault{Path: "/pods/[^/]+/log", Do: send})
	cmd := w.Command(api, "run", "shop", "--", "/bin/true")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	var messages strings.Builder
	cmd.Stdout, cmd.Stderr = writer, &messages
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	stuck := time.AfterFunc(watchdog, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	got := make([]byte, 1)
	if _, err := io.ReadFull(reader, got); err != nil {
		t.Fatalf("%v: %s", err, messages.String())
	}
	time.Sleep(25 * time.Second) // norn looks every 10 seconds whether the log goes on
	rest, err := io.ReadAll(reader)
	if err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	if got = append(got, rest...); !bytes.Equal(got, want.Bytes()) {
		t.Errorf("got %d bytes, want %d", len(got), want.Len())
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 || strings.Contains(messages.String(), "not read") {
		t.Errorf("exit code %d: %s", code, messages.String())
	}
}
