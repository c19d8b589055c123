package logs

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"testing"
	"time"

	"norn/test/bed"
)

// If the reader of stdout is slow, the streams slow down too, and no lines are lost. norn does not buffer unread
// lines.
func TestSlowReaderLosesNothing(t *testing.T) {
	b := newWorld(t)
	b.SetLogRotation(t, "1Gi", "10s")
	const pods, lines = 4, 50_000
	const infraspec = "app: count\nrole: worker\nreplicas: %d\nenv: {LINES: %d, LENGTH: 200}\n"
	b.WriteApp("count", fmt.Sprintf(infraspec, pods, lines))
	b.Norn("forge", "count", "--image", b.Image(t, "count", nil))
	slow := func(r io.Reader) io.Reader { return &slowReader{r: r, period: 2 * time.Second} }
	f := b.follow(slow, "count")
	bed.Eventually(b.T, time.Minute, "all lines have been read", func() bool {
		_, ended := f.instances()
		return ended == pods
	})
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if peak == nil || number(string(peak[1]), 1<<30) > 150<<10 {
		t.Errorf("peak memory %q kB for %d MB of lines", peak, pods*lines*250>>20)
	}
	f.stop(t)
	f.check(t)
}

// slowReader reads slowly for a while, and then at full speed.
type slowReader struct {
	r      io.Reader
	period time.Duration
	begin  time.Time
}

func (s *slowReader) Read(p []byte) (int, error) {
	if s.begin.IsZero() {
		s.begin = time.Now()
	}
	if time.Since(s.begin) < s.period {
		time.Sleep(10 * time.Millisecond)
		p = p[:min(len(p), 1000)]
	}
	return s.r.Read(p)
}

// If stdout is closed, norn logs ends with exit code 0 and without a message.
func TestLogsIntoAClosedPipe(t *testing.T) {
	b := newWorld(t)
	b.WriteApp("count", counting(1, 50))
	b.Norn("forge", "count", "--image", b.Image(t, "count", nil))
	for _, args := range [][]string{{"logs", "-f", "count"}, {"logs", "count"}} {
		cmd := b.Command(b.Kubeconfig, args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		bed.Eventually(b.T, time.Minute, "the log has lines", func() bool {
			lines, _ := b.Command(b.Kubeconfig, "logs", "count").Output()
			return bytes.Count(lines, []byte("\n")) > 100
		})
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
			t.Errorf("norn %v: %v: %s", args, err, stderr.String())
		}
	}
}
