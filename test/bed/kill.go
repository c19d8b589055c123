package bed

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// KillAt runs a command and kills it with SIGKILL at its n-th change: before the API server receives the request, or
// after it has answered. KillAt reports whether the command made that many changes.
func (w *Workspace) KillAt(n int32, after bool, args ...string) bool {
	w.T.Helper()
	return w.KillAtWrite(Changes, n, after, args...)
}

// KillAtWrite is KillAt for the n-th of the requests that match.
func (w *Workspace) KillAtWrite(matches func(*http.Request) bool, n int32, after bool, args ...string) bool {
	w.T.Helper()
	var count atomic.Int32
	var victim *exec.Cmd
	started := make(chan struct{})
	kill := func() {
		<-started
		_ = victim.Process.Signal(syscall.SIGKILL)
	}
	proxy, err := NewAPIProxy(w.Kubeconfig, w.T.TempDir(), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !matches(r) || count.Add(1) != n {
				next.ServeHTTP(rw, r)
				return
			}
			w.T.Logf("write %d (killed after: %v): %s %s", n, after, r.Method, r.URL.Path)
			if after {
				next.ServeHTTP(Discard{}, r)
			}
			kill()
		})
	})
	if err != nil {
		w.T.Fatal(err)
	}
	defer proxy.Close()
	victim = w.Command(proxy.Kubeconfig, args...)
	var output bytes.Buffer
	victim.Stdout, victim.Stderr = &output, &output
	if err := victim.Start(); err != nil {
		w.T.Fatal(err)
	}
	close(started)
	err = victim.Wait()
	if err != nil && count.Load() < n {
		w.T.Fatalf("%v: %v\n%s", victim.Args, err, output.String())
	}
	return count.Load() >= n
}

// KillComponent kills a component of the cluster, such as kubelet. The cluster's supervisor restarts it.
func (c *Cluster) KillComponent(tb testing.TB, name string) {
	tb.Helper()
	// The supervisor may still be starting the component.
	Eventually(tb, 10*time.Second, name+" runs and can be killed", func() bool { return c.kill(tb, name) })
}

// kill kills a component and waits for its end. It reports whether the component was running.
func (c *Cluster) kill(tb testing.TB, name string) bool {
	tb.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		tb.Fatal(err)
	}
	for _, path := range commands {
		data, err := os.ReadFile(path)
		args := "\x00" + string(data)
		if err != nil || !strings.Contains(args, "\x00"+name+"\x00--") || !strings.Contains(args, c.Dir) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(path, "/proc/%d/cmdline", &pid); err != nil {
			tb.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			tb.Fatal(err)
		}
		Eventually(tb, 10*time.Second, name+" has ended", func() bool { return syscall.Kill(pid, 0) != nil })
		return true
	}
	return false
}
