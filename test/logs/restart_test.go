package logs

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"norn/test/bed"
)

// After the last line of an ended instance, the lines of the next instance follow.
func TestRestartedContainers(t *testing.T) {
	b := newWorld(t)
	pods := number(os.Getenv("NORN_TEST_PODS"), 1)
	const infraspec = "app: count\nrole: worker\nreplicas: %d\nenv: {LINES: 2000, RATE: 2000, EXIT: 3}\n"
	b.WriteApp("count", fmt.Sprintf(infraspec, pods))
	b.Norn("forge", "count", "--image", b.Image(t, "count", nil))
	kept := b.keepLogs()
	f := b.follow(unchanged, "count")
	f.kept = kept
	bed.Eventually(b.T, 4*time.Minute, "three instances have ended", func() bool {
		_, ended := f.instances()
		return ended >= 3*pods
	})
	f.stop(t)
	f.check(t)
	if messages := f.err.String(); !strings.Contains(messages, "container count ended with exit code 3") {
		t.Errorf("messages: %s", messages)
	}
	// Right after an instance has ended, the Pod's status may still name a log that the kubelet has deleted.
	bed.Eventually(b.T, time.Minute, "--previous shows the last line", func() bool {
		out, err := b.Command(b.Kubeconfig, "logs", "count", "--previous", "--tail", "1").Output()
		return err == nil && bytes.HasSuffix(out, []byte(" 2001 end\n"))
	})
}

// With --tail 0, norn shows the next line and all later lines, even if the API server disappears in between.
func TestTailFromTheEnd(t *testing.T) {
	b := newWorld(t)
	b.WriteApp("count", "app: count\nrole: worker\nenv: {RATE: 5, LENGTH: 20}\n")
	b.Norn("forge", "count", "--image", b.Image(t, "count", nil))
	bed.Eventually(b.T, time.Minute, "the log has lines", func() bool {
		lines, _ := b.Command(b.Kubeconfig, "logs", "count").Output()
		return bytes.Count(lines, []byte("\n")) > 20
	})
	f := b.follow(unchanged, "count", "--tail", "0")
	bed.Eventually(b.T, time.Minute, "a line has been read", func() bool { n, _ := f.instances(); return n == 1 })
	b.KillComponent(t, "kube-apiserver")
	at := func() int { f.mu.Lock(); defer f.mu.Unlock(); return f.lines }
	before := at()
	bed.Eventually(b.T, time.Minute, "norn logs continues", func() bool { return at() > before+10 })
	f.stop(t)
	f.mu.Lock()
	defer f.mu.Unlock()
	for instance, first := range f.first {
		if first < 15 || len(f.wrong) > 0 {
			t.Errorf("%s: the first line is %d; %v", instance, first, f.wrong)
		}
	}
}
