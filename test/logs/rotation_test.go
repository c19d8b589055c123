package logs

import (
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"norn/test/bed"
)

// Streams continue with the new file when a log is rotated. A stream that is more than one rotation behind loses
// lines, because the kubelet reads only the newest file. So each rotation waits until all streams have reached the file
// of the last one.
func TestEveryLineOnceThroughRotations(t *testing.T) {
	b := newWorld(t)
	image := b.Image(t, "count", nil)
	b.WriteApp("count", waiting(counting(5, 1000)))
	b.Norn("forge", "count", "--image", image)
	kept := b.keepLogs()
	f := b.follow(unchanged, "count")
	f.kept = kept
	b.begin(f, 5)
	for range 4 {
		b.rotate(f)
	}
	b.Kubectl("scale", "deployment/count", "--replicas=0")
	b.finish(f, kept)
}

// The kubelet rotates logs by itself while the Pods write at full speed: once, so that no stream is two rotations
// behind.
func TestEveryLineOnceThroughTheKubeletsRotation(t *testing.T) {
	soak(t)
	b := newWorld(t)
	image := b.Image(t, "count", nil)
	b.SetLogRotation(t, "1Mi", "30s")
	b.WriteApp("count", waiting(counting(8, 0)))
	b.Norn("forge", "count", "--image", image)
	kept := b.keepLogs()
	f := b.follow(unchanged, "count")
	f.kept = kept
	b.begin(f, 8)
	bed.Eventually(b.T, time.Minute, "every log was rotated", func() bool { return b.rotations("count") >= 8 })
	b.Kubectl("scale", "deployment/count", "--replicas=0")
	b.finish(f, kept)
}

// finish waits until the Pods have ended and norn has shown all of their lines, and checks the lines.
func (b *world) finish(f *following, kept *keptLogs) {
	b.T.Helper()
	b.Kubectl("wait", "pods", "--all", "--for=delete", "--timeout=5m")
	written := kept.ends()
	bed.Eventually(b.T, 2*time.Minute, "all lines have been read", func() bool { return f.hasAll(written) })
	f.stop(b.T)
	f.cutShort(written)
	f.forgive(b.T, kept)
	f.check(b.T)
}

// waiting returns the infraspec of an app that counts after the command "go".
func waiting(spec string) string { return strings.Replace(spec, "env: {", "env: {WAIT: 1, ", 1) }

// If the log is rotated twice while the reader of stdout is blocked, the kubelet skips the file in between. It sends
// the newest file again for each rotation that it sees, and norn shows no line twice. Only this repetition tells norn
// about the missing lines, and the kubelet sees rotations only once it has reached the end of a file, and only while
// inotify's queue has room (k8s.io/cri-client/pkg/logs: ReadLogs). So TestFileSentTwice tests the warning.
func TestEveryLineOnceToAReaderThatStandsStill(t *testing.T) {
	soak(t)
	b := newWorld(t)
	b.SetLogRotation(t, "1Gi", "10s")
	b.WriteApp("count", "app: count\nrole: worker\nenv: {RATE: 1000, LENGTH: 10000, WAIT: 1}\n")
	b.Norn("forge", "count", "--image", b.Image(t, "count", nil))
	kept := b.keepLogs()
	g := &gate{open: make(chan struct{})}
	close(g.open)
	f := b.follow(func(r io.Reader) io.Reader { g.r = r; return g }, "count")
	b.begin(f, 1)
	lines := func() int {
		for _, n := range kept.ends() {
			return n
		}
		return 0
	}
	grown := func(by int) {
		from := lines()
		bed.Eventually(b.T, time.Minute, "the log has grown", func() bool { return lines() > from+by })
	}
	reopen := g.close()
	grown(8000) // 80 MB fill all buffers in between
	b.RotateLogs(t, b.Namespace, f.pods())
	grown(100)
	b.RotateLogs(t, b.Namespace, f.pods())
	grown(100)
	reopen()
	for range 2 { // lines written now come after the repeated lines
		for instance, n := range kept.ends() {
			// Hundreds of megabytes, on a machine that may be busy.
			bed.Eventually(b.T, 5*time.Minute, "norn logs has caught up", func() bool { return f.has(instance, n+100) })
		}
	}
	b.Kubectl("scale", "deployment/count", "--replicas=0")
	bed.Eventually(b.T, time.Minute, "the instance has ended", func() bool {
		_, ended := f.instances()
		return ended == 1
	})
	f.stop(t)
	if f.doubled > 0 || len(f.wrong) == 0 {
		t.Errorf("want a gap and no repeated line: %.300v", f.wrong)
	}
}

// gate is a reader that can be blocked.
type gate struct {
	r    io.Reader
	mu   sync.Mutex
	open chan struct{}
}

// close blocks the reader until reopen is called.
func (g *gate) close() (reopen func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	open := make(chan struct{})
	g.open = open
	return func() { close(open) }
}

// Read implements io.Reader.
func (g *gate) Read(p []byte) (int, error) {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	<-open
	return g.r.Read(p)
}
