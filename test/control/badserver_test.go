package control

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"norn/test/bed"
)

// disturbed returns a kubeconfig for an API server with faults.
func disturbed(w *bed.Workspace, faults ...bed.Fault) string {
	w.T.Helper()
	proxy, err := bed.NewAPIProxy(w.Kubeconfig, w.Home, bed.Faults(faults...))
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(proxy.Close)
	return proxy.Kubeconfig
}

// watchdog is how long a command may take that is said to end. It measures nothing and only ends a hang.
const watchdog = 3 * time.Minute

// bounded runs norn, and kills it after watchdog.
func bounded(w *bed.Workspace, kubeconfig string, args ...string) (out string, code int) {
	w.T.Helper()
	cmd := w.Command(kubeconfig, args...)
	ctx, cancel := context.WithTimeout(w.T.Context(), watchdog)
	defer cancel()
	killed := exec.CommandContext(ctx, cmd.Path, cmd.Args[1:]...)
	killed.Env = cmd.Env
	text, _ := killed.CombinedOutput() // the caller checks the exit code
	if ctx.Err() != nil {
		w.T.Errorf("norn %s hangs:\n%s", strings.Join(args, " "), text)
	}
	return string(text), killed.ProcessState.ExitCode()
}

// A log stream that stalls does not keep a failed version in place. What norn read of it is shown.
func TestStalledLog(t *testing.T) {
	t.Parallel()
	w := running(t)
	api := disturbed(w, bed.Fault{Path: "/pods/[^/]+/log", Do: bed.Stream("panic: no config\n")})
	out, code := bounded(w, api, "deploy", "shop", "--image", image("broken"))
	for _, text := range []string{
		"log | panic: no config", "not read: log: no answer within 10s", "the previous version was restored (as revision 3)",
	} {
		if code != 4 || !strings.Contains(out, text) {
			t.Errorf("exit code %d, want %q in the output:\n%s", code, text, out)
		}
	}
}

// With an API server that takes two seconds for each call, a good version is deployed, and a broken one is replaced.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		code int
		text string
	}{
		"second": {0, "rollout done: revision 2, 1 of 1 Pods available"},
		"broken": {4, "the previous version was restored (as revision 3)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := running(t)
			api := disturbed(w, bed.Fault{Do: bed.Slow(2 * time.Second)})
			out, code := bounded(w, api, "deploy", "shop", "--image", image(name))
			if code != want.code || !strings.Contains(out, want.text) {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, want.code, want.text, out)
			}
			if leases := w.Kubectl("get", "leases", "-o", "name"); leases != "" {
				t.Errorf("the lock was not released: %s", leases)
			}
		})
	}
}

// A run that was stopped while another one took its lock writes nothing when it goes on, at whichever write it was
// stopped.
func TestStoppedRunWritesNothing(t *testing.T) {
	t.Parallel()
	for write := 1; write <= 3; write++ { // the Lease, the objects, the image
		t.Run(fmt.Sprint("after write ", write), func(t *testing.T) {
			t.Parallel()
			w := running(t)
			w.WriteApp("shop", workerApp+"env: {BY: a}\n")
			s := &stopped{after: write, at: make(chan struct{}), on: make(chan struct{})}
			proxy, err := bed.NewAPIProxy(w.Kubeconfig, w.Home, s.around)
			if err != nil {
				t.Fatal(err)
			}
			defer proxy.Close()
			// With a shorter timeout, the answer that has arrived and the timer that has run out would compete.
			a := w.Command(proxy.Kubeconfig, "deploy", "shop", "--image", image("first-of-a"), "--request-timeout", "1h")
			var out strings.Builder
			a.Stdout, a.Stderr = &out, &out
			if err := a.Start(); err != nil {
				t.Fatal(err)
			}
			<-s.at // the write is done, and a waits for the answer
			if err := a.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			close(s.on) // the answer arrives while a is stopped
			w.WriteApp("shop", workerApp+"env: {BY: b}\n")
			expect(w, 0, []string{"deploy", "shop", "--image", image("second-of-b"), "--lock-timeout", "3m"},
				"took over the lock of", "1 of 1 Pods available")
			s.count(true)
			if err := a.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			_ = a.Wait()
			if writes := s.count(false); len(writes) > 0 || a.ProcessState.ExitCode() != 5 ||
				!strings.Contains(out.String(), "shop was ") {
				t.Errorf("exit code %d, writes after the lock was lost: %q\n%s", a.ProcessState.ExitCode(), writes, out.String())
			}
			if got := w.Kubectl("get", "deployment", "shop", "-o",
				"jsonpath={.spec.template.spec.containers[0].env[0].value} {.spec.paused}"); got != "b " {
				t.Errorf("the Deployment has %q", got)
			}
		})
	}
}

// stopped holds the answer to a run's write until the run is stopped. When the run goes on, its calls for the lock are
// slower than its writes.
type stopped struct {
	after  int           // the write
	at, on chan struct{} // closed when the write is done; when its answer may be sent

	mu     sync.Mutex
	writes int
	resume bool
	late   []string // the writes since the run goes on
}

func (s *stopped) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lock := strings.Contains(r.URL.Path, "/leases")
		s.mu.Lock()
		hold := false
		if bed.Changes(r) && (!lock || r.Method == http.MethodPost) {
			s.writes++
			hold = s.writes == s.after
			if s.resume {
				s.late = append(s.late, r.Method+" "+r.URL.Path)
			}
		}
		resume := s.resume
		s.mu.Unlock()
		if lock && resume {
			time.Sleep(time.Second)
		}
		if !hold {
			next.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		close(s.at)
		<-s.on
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// count begins to record writes, or returns those recorded.
func (s *stopped) count(begin bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resume = s.resume || begin
	return s.late
}
