package bench

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"norn/test/bed"
)

// BenchmarkProcesses measures what a rollout costs norn with one process and with ten, of three Pods each: its time,
// CPU and memory, and its requests to the API server. Run it with make bench-processes.
func BenchmarkProcesses(b *testing.B) {
	if os.Getenv("NORN_BENCH_PROCESSES") == "" {
		b.Skip("run make bench-processes")
	}
	w := &world{bed.New(b, bed.Shared(b))}
	image := w.MoodyImage(b, "serve")
	for _, count := range []int{1, 10} {
		w.WriteApp("moody", manyProcesses(count, ""))
		w.Norn("deploy", "moody", "--image", image)
		w.WriteApp("moody", manyProcesses(count, "CHANGED: \"1\""))
		for _, args := range [][]string{{"restart", "moody"}, {"deploy", "moody", "--image", image}} {
			fmt.Printf("%-8s %2d processes of 3 Pods: %s\n", args[0], count, w.measured(args))
		}
		w.Norn("teardown", "moody", "--yes")
	}
}

// manyProcesses returns the infraspec of an app with count processes of three Pods.
func manyProcesses(count int, env string) string {
	const probed = "replicas: 3, healthcheck: {path: /healthz, port: 8080}"
	spec := "app: moody\nrole: webserver\nport: 8080\nhealthcheck: /healthz\nreplicas: 3\n" +
		"env: {PORT: \"8080\", " + env + "}\n"
	if count > 1 {
		spec += "processes:\n"
	}
	for i := range count - 1 {
		spec += fmt.Sprintf("  worker-%d: {%s}\n", i+1, probed)
	}
	return spec
}

// measured runs norn and returns what that cost.
func (b *world) measured(args []string) string {
	b.T.Helper()
	calls := &calls{}
	proxy, err := bed.NewAPIProxy(b.Kubeconfig, b.Home, calls.around)
	if err != nil {
		b.T.Fatal(err)
	}
	defer proxy.Close()
	cmd := b.Command(proxy.Kubeconfig, args...)
	begin := time.Now()
	bed.Run(b.T, cmd)
	took := time.Since(begin)
	peak := int64(0)
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		peak = usage.Maxrss >> 10
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return fmt.Sprintf("%.1f s, CPU %.2f s, peak memory %d MiB, %s", took.Seconds(), cpu.Seconds(), peak, calls)
}

// calls counts requests to the API server.
type calls struct {
	mu                            sync.Mutex
	watches, lists, reads, writes int
}

func (c *calls) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c.count(r)
		next.ServeHTTP(rw, r)
	})
}

func (c *calls) count(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch query := r.URL.RawQuery; {
	case bed.Writes(r):
		c.writes++
	case strings.Contains(query, "watch="):
		c.watches++
	case strings.Contains(query, "labelSelector=") || strings.Contains(query, "limit="):
		c.lists++
	default:
		c.reads++
	}
}

// String describes the requests.
func (c *calls) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d requests: %d watches, %d lists, %d reads, %d writes",
		c.watches+c.lists+c.reads+c.writes, c.watches, c.lists, c.reads, c.writes)
}
