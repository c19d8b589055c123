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

// An instance that ends is followed by the next: the new one's lines after the old one's last.
func TestRestartedContainers(t *testing.T) {
	b := newWorld(t)
	pods := number(os.Getenv("NORN_TEST_PODS"), 1)
	b.WriteApp("count", fmt.Sprintf("app: count\nrole: worker\nreplicas: %d\nenv: {LINES: 2000, RATE: 2000, EXIT: 3}\n", pods))
	b.Norn("forge", "count", "--image", b.Image(t, "count", nil))
	kept := b.keepLogs()
	f := b.follow(plainly, "count")
	f.kept = kept
	bed.Eventually(b.T, 4*time.Minute, "three instances have ended", func() bool { _, ended := f.instances(); return ended >= 3*pods })
	f.stop(t)
	f.check(t)
	if said := f.err.String(); !strings.Contains(said, "container count ended with exit code 3") {
		t.Errorf("it said %s", said)
	}
	// Just after an instance has ended, the kubelet may have deleted the log that the pod's status still names.
	bed.Eventually(b.T, time.Minute, "--previous shows an end", func() bool {
		out, err := b.Command(b.Kubeconfig, "logs", "count", "--previous", "--tail", "1").Output()
		return err == nil && bytes.HasSuffix(out, []byte(" 2001 end\n"))
	})
}

// From the end on means the next line and all that follow, also where the API server goes away before there is one.
func TestTailFromTheEnd(t *testing.T) {
	b := newWorld(t)
	b.WriteApp("count", "app: count\nrole: worker\nenv: {RATE: 5, LENGTH: 20}\n")
	b.Norn("forge", "count", "--image", b.Image(t, "count", nil))
	bed.Eventually(b.T, time.Minute, "there is a log", func() bool {
		lines, _ := b.Command(b.Kubeconfig, "logs", "count").Output()
		return bytes.Count(lines, []byte("\n")) > 20
	})
	f := b.follow(plainly, "count", "--tail", "0")
	bed.Eventually(b.T, time.Minute, "a line has come", func() bool { n, _ := f.instances(); return n == 1 })
	b.KillComponent(t, "kube-apiserver")
	at := func() int { f.mu.Lock(); defer f.mu.Unlock(); return f.lines }
	before := at()
	bed.Eventually(b.T, time.Minute, "it goes on", func() bool { return at() > before+10 })
	f.stop(t)
	f.mu.Lock()
	defer f.mu.Unlock()
	for instance, first := range f.first {
		if first < 15 || len(f.wrong) > 0 {
			t.Errorf("%s begins with %d: %v", instance, first, f.wrong)
		}
	}
}
