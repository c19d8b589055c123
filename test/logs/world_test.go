// Package logs follows Pods that number their lines, while containers, the kubelet and the API server restart and logs
// are rotated. norn must show each line once. The package has its own cluster because it kills components.
package logs

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"norn/test/bed"
)

func TestMain(m *testing.M) { bed.Main(m) }

// world is a workspace on the package's own cluster.
type world struct {
	*bed.Workspace

	rotated map[string]bool // keys are the log folder and the time of the rotation
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return &world{Workspace: bed.New(t, bed.Exclusive(t)), rotated: map[string]bool{}}
}

func unchanged(r io.Reader) io.Reader { return r }

// counting returns an infraspec of testdata/apps/count.
func counting(pods, rate int) string {
	return fmt.Sprintf("app: count\nrole: worker\nreplicas: %d\nenv: {RATE: %d, LENGTH: 100}\n", pods, rate)
}

// begin waits until the first line of each Pod has been read, and then lets the Pods continue. By then, every stream
// has reached the end of its log, and the kubelet watches for rotations.
func (b *world) begin(f *following, pods int) {
	b.T.Helper()
	bed.Eventually(b.T, time.Minute, "all pods are followed", func() bool { n, _ := f.instances(); return n == pods })
	for _, pod := range f.pods() {
		name, _, _ := strings.Cut(pod, "/")
		b.Kubectl("exec", name, "--", "/count", "go")
	}
}

func (b *world) restart() { b.Kubectl("rollout", "restart", "deployment/count") }

func (b *world) restarted() {
	b.Kubectl("rollout", "status", "deployment/count", "--timeout=3m")
}

// rotate rotates all followed logs, and waits until their streams have reached the new files. A stream that breaks
// before that loses lines, because the API serves only the new file.
func (b *world) rotate(f *following) {
	b.T.Helper()
	begin := time.Now()
	old := b.RotateLogs(b.T, b.Namespace, f.pods())
	bed.Eventually(b.T, 2*time.Minute, "the streams have reached the new logs", func() bool {
		for _, file := range old {
			if instance, n := lastLine(b.T, file); n > 0 && !f.has(instance, n+2) { // n+1 may be in both files
				return false
			}
		}
		return true
	})
	b.T.Logf("%d logs rotated, the new ones reached after %s", len(old), time.Since(begin).Round(time.Millisecond))
}

// rotated matches the time in the name of a rotated log file.
var rotated = regexp.MustCompile(`\.log\.(\d{8}-\d{6})`)

// rotations returns the number of rotations of logs of the Pods with this name prefix. It sees only existing files,
// and remembers them for later calls.
func (b *world) rotations(pod string) int {
	b.T.Helper()
	files, err := filepath.Glob(filepath.Join(b.PodLogs(), b.Namespace+"_"+pod+"*", "*", "*.log.*"))
	if err != nil {
		b.T.Fatal(err)
	}
	for _, file := range files {
		if at := rotated.FindStringSubmatch(file); at != nil {
			b.rotated[filepath.Dir(file)+at[1]] = true
		}
	}
	return len(b.rotated)
}

// number returns the number in text, or fallback.
func number(text string, fallback int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return fallback
	}
	return n
}
