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

// A slow reader of stdout slows the streams down, and loses nothing; norn does not hold what it has not read.
func TestSlowReaderLosesNothing(t *testing.T) {
	b := newWorld(t)
	b.LogFiles(t, "1Gi", "10s")
	const pods, lines = 4, 50_000
	b.WriteApp("count", fmt.Sprintf("app: count\nrole: worker\nreplicas: %d\nenv: {LINES: %d, LENGTH: 200}\n", pods, lines))
	b.Norn("forge", "count", "--image", b.Image(t, "count", nil))
	slow := func(r io.Reader) io.Reader { return &slowly{r: r, until: 2 * time.Second} }
	f := b.follow(slow, "count")
	bed.Eventually(b.T, time.Minute, "all lines have come", func() bool { _, ended := f.instances(); return ended == pods })
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

// slowly reads little at first, and then as fast as it can.
type slowly struct {
	r     io.Reader
	until time.Duration
	begin time.Time
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.begin.IsZero() {
		s.begin = time.Now()
	}
	if time.Since(s.begin) < s.until {
		time.Sleep(10 * time.Millisecond)
		p = p[:min(len(p), 1000)]
	}
	return s.r.Read(p)
}

// A pipe that is closed ends it at once, with exit code 0 and without a word.
func TestLogsIntoAClosedPipe(t *testing.T) {
	b := newWorld(t)
	b.WriteApp("count", counting(1, 50))
	b.Norn("forge", "count", "--image", b.Image(t, "count", nil))
	for _, args := range [][]string{{"logs", "-f", "count"}, {"logs", "count"}} {
		cmd := b.Command(b.Kubeconfig, args...)
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		bed.Eventually(b.T, time.Minute, "there is a log", func() bool {
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
		if err := cmd.Wait(); err != nil || said.Len() > 0 {
			t.Errorf("norn %v: %v: %s", args, err, said.String())
		}
	}
}
