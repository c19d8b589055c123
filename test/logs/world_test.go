// Package logs follows pods that number their lines, while containers, kubelet and API server restart and logs are
// rotated: each line must come once. Since it kills components, it has a cluster of its own.
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

	rotated map[string]bool // logs, and when each was rotated
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return &world{Workspace: bed.New(t, bed.Exclusive(t)), rotated: map[string]bool{}}
}

func plainly(r io.Reader) io.Reader { return r }

// counting is the infraspec of so many pods of testdata/apps/count.
func counting(pods, rate int) string {
	return fmt.Sprintf("app: count\nrole: worker\nreplicas: %d\nenv: {RATE: %d, LENGTH: 100}\n", pods, rate)
}

// begin tells the pods, which wait behind their first line, to go on when that line has come: then every stream stands at
// the end of its log, from where the kubelet watches for rotations. What is rotated before, nobody can read.
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

// rotate has all logs that are followed rotated at once, and waits until their streams have left the old files behind: a stream that breaks before cannot
// be whole, since the API has the new file only.
func (b *world) rotate(f *following) {
	b.T.Helper()
	begin := time.Now()
	old := b.RotateLogs(b.T, b.Namespace, f.pods())
	bed.Eventually(b.T, 2*time.Minute, "the streams have come to the new logs", func() bool {
		for _, file := range old {
			if instance, n := lastLine(b.T, file); n > 0 && !f.has(instance, n+2) { // n+1 may be in both
				return false
			}
		}
		return true
	})
	b.T.Logf("%d logs rotated, the new ones reached after %s", len(old), time.Since(begin).Round(time.Millisecond))
}

// rotated matches the time that the kubelet puts into the name of a log file when it rotates it.
var rotated = regexp.MustCompile(`\.log\.(\d{8}-\d{6})`)

// rotations counts how often the kubelet has rotated a log of the namespace's pods whose name begins so, as far as the
// files show that are there: each call remembers what it has seen.
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

// number is the number in a text, or fallback.
func number(text string, fallback int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return fallback
	}
	return n
}
