package control

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"norn/test/bed"
)

// badServer is a way in which an API server is bad.
type badServer struct {
	name  string
	do    func(http.ResponseWriter, *http.Request, http.Handler)
	codes []int // with which a command may end if it lasts
	rare  bool  // test it only with NORN_TEST_FAULTS
}

// unread is the exit code of commands that show no log because they cannot read the Secret.
const unread = 3

var badServers = []badServer{
	{"slow", bed.Slow(time.Second), []int{0}, true},
	{"stalled", bed.Stall, []int{1, unread}, true},
	{"stalled body", bed.StallBody, []int{1, unread}, true},
	{"429", bed.Fail(http.StatusTooManyRequests, "TooManyRequests", "1"), []int{1, unread}, true},
	{"500", bed.Fail(http.StatusInternalServerError, "InternalError", ""), []int{1, unread}, true},
	{"503", bed.Fail(http.StatusServiceUnavailable, "ServiceUnavailable", ""), []int{1, unread}, true},
	{"cut", bed.Cut, []int{1, unread}, true},
	{"cut body", bed.CutBody, []int{1, unread}, true},
	{"lost", bed.Lose, []int{1, unread}, false},
	{"garbage", bed.Garbage, []int{1, unread}, true},
	{"huge", bed.Huge(65 << 20), []int{1, unread}, true},
	{"409", ofWrites(bed.Fail(http.StatusConflict, "Conflict", "")), []int{0, 1, 5}, true},
}

// ofWrites returns a fault that disturbs only writes.
func ofWrites(do func(http.ResponseWriter, *http.Request, http.Handler)) func(
	http.ResponseWriter, *http.Request, http.Handler,
) {
	return func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if bed.Changes(r) {
			do(rw, r, next)
			return
		}
		next.ServeHTTP(rw, r)
	}
}

// changing are the commands that change the cluster, each with its preparation.
var changing = []struct {
	args   string
	before func(w *bed.Workspace)
}{
	{"forge shop", func(w *bed.Workspace) { w.WriteApp("shop", workerWithEnv) }},
	{"deploy shop --image " + image("second"), func(w *bed.Workspace) { w.WriteApp("shop", workerWithEnv) }},
	{"rollback shop", func(w *bed.Workspace) { w.Norn("deploy", "shop", "--image", image("second")) }},
	{"restart shop", func(*bed.Workspace) {}},
	{"teardown shop --yes", func(*bed.Workspace) {}},
	{"run shop -- /bin/true", func(*bed.Workspace) {}},
	{"invoke call", func(w *bed.Workspace) {
		w.WriteApp("call", "app: call\nrole: function\n")
		w.Norn("deploy", "call", "--image", image("call"))
	}},
}

// reading are commands that only read from the cluster.
var reading = []string{
	"status", "status shop", "history shop", "diff shop", "logs shop", "doctor", "secrets list shop",
	"forge shop --dry-run", "deploy shop --dry-run --image " + image("second"),
}

// cells runs the tests of a table. Most of them wait, so several run at a time; with too many, the processor makes a
// server slower than the test makes it.
type cells struct {
	t     *testing.T
	slots chan struct{}
	all   sync.WaitGroup
}

func newCells(t *testing.T) *cells { return &cells{t: t, slots: make(chan struct{}, 12)} }

// run tests a command on a bad server, unless that is rare.
func (c *cells) run(args string, b badServer, test func(*testing.T)) {
	if b.rare && os.Getenv("NORN_TEST_FAULTS") == "" {
		return
	}
	c.all.Go(func() {
		c.slots <- struct{}{}
		defer func() { <-c.slots }()
		c.t.Run(strings.ReplaceAll(args, image("second"), "IMAGE")+" "+b.name, test)
	})
}

// from returns a kubeconfig for a server that is bad from the nth request that matches.
func (b badServer) from(w *bed.Workspace, n int, matches func(*http.Request) bool) string {
	var mu sync.Mutex
	return proxied(w, func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		if matches(r) {
			n--
		}
		begun := n <= 0
		mu.Unlock()
		if begun {
			b.do(rw, r, next)
			return
		}
		withLogs(rw, r, next)
	})
}

// withLogs answers requests for logs, because there is no kubelet that would.
func withLogs(rw http.ResponseWriter, r *http.Request, next http.Handler) {
	if strings.HasSuffix(r.URL.Path, "/log") {
		_, _ = fmt.Fprintln(rw, "2026-01-02T03:04:05.000000000Z hello")
		return
	}
	next.ServeHTTP(rw, r)
}

// Whatever an API server begins to do in the middle of a command, the command ends. It names what it leaves, and the
// same command succeeds when the server works again.
func TestEachCommandOnABadServer(t *testing.T) {
	t.Parallel()
	c := newCells(t)
	shared := running(t)
	for _, b := range badServers {
		for _, args := range reading {
			c.run(args, b, func(t *testing.T) {
				w := *shared
				w.T = t
				every := func(*http.Request) bool { return true }
				out, code := bounded(&w, b.from(&w, 2, every), strings.Fields(args)...) // the first one is norn's ping
				checkEnd(t, b, out, code)
			})
		}
		for _, cmd := range changing {
			c.run(cmd.args, b, func(t *testing.T) {
				w := running(t)
				cmd.before(w)
				args := strings.Fields(cmd.args)
				out, code := bounded(w, b.from(w, 2, bed.Changes), args...) // the first write takes the lock
				checkEnd(t, b, out, code)
				checkLeft(w, out)
				well := proxied(w, withLogs)
				if out, code := bounded(w, well, args...); code != 0 {
					t.Errorf("the second run ends with %d:\n%s", code, out)
				}
				if out, code := bounded(w, well, "diff", "shop", "--exit-code"); args[0] != "teardown" && code != 0 {
					t.Errorf("differs after the second run:\n%s", out)
				}
				if left := w.Kubectl("get", "leases", "-o", "name"); left != "" {
					t.Errorf("left after the second run: %s", left)
				}
			})
		}
	}
	c.all.Wait()
}

// crash matches output that shows an unhandled error or unsafe text.
var crash = regexp.MustCompile(`panic:|goroutine \d+ \[|runtime error|\.go:\d+|%!|<nil>|\x00|\x1b`)

// checkEnd checks how a command ended.
func checkEnd(t *testing.T, b badServer, out string, code int) {
	t.Helper()
	if !slices.Contains(b.codes, code) {
		t.Errorf("exit code %d, want one of %d:\n%s", code, b.codes, out)
	}
	if found := crash.FindString(out); found != "" {
		t.Errorf("%q is in the output:\n%s", found, out)
	}
	if code != 0 && !strings.Contains(out, "Error: ") {
		t.Errorf("no error is shown:\n%s", out)
	}
}

// checkLeft checks that a command has named what it leaves.
func checkLeft(w *bed.Workspace, out string) {
	w.T.Helper()
	if leases := w.Kubectl("get", "leases", "-o", "name"); leases != "" && !strings.Contains(out, "expires after") {
		w.T.Errorf("%s is left, and not named:\n%s", leases, out)
	}
	for _, job := range strings.Fields(w.Kubectl("get", "jobs", "-o", "name")) {
		if _, name, _ := strings.Cut(job, "/"); !strings.Contains(out, "delete Job "+name) {
			w.T.Errorf("%s is left, and not named:\n%s", job, out)
		}
	}
	paused := w.Kubectl("get", "deployment", "shop", "--ignore-not-found", "-o", "jsonpath={.spec.paused}")
	if paused == "true" && !strings.Contains(out, "run the same command again") {
		w.T.Errorf("the Deployment is paused, and nothing says what to do:\n%s", out)
	}
}

// flaky are faults that do not last.
var flaky = []badServer{
	{"lost", bed.Lose, nil, true},
	{"503", bed.Fail(http.StatusServiceUnavailable, "ServiceUnavailable", ""), nil, true},
	{"429", bed.Fail(http.StatusTooManyRequests, "TooManyRequests", "1"), nil, true},
	{"cut", bed.Cut, nil, true},
	{"cut body", bed.CutBody, nil, true},
}

// If an API server disturbs each third request, each command does its work.
func TestEachCommandOnAFlakyServer(t *testing.T) {
	t.Parallel()
	c := newCells(t)
	for _, b := range flaky {
		for _, cmd := range changing {
			c.run(cmd.args, b, func(t *testing.T) {
				w := running(t)
				cmd.before(w)
				third := bed.Fault{Skip: 1, Every: 3, Do: b.do}
				api := disturbed(w, third, bed.Fault{Do: withLogs})
				args := strings.Fields(cmd.args)
				if out, code := bounded(w, api, args...); code != 0 || crash.MatchString(out) {
					t.Errorf("exit code %d:\n%s", code, out)
				}
				if left := w.Kubectl("get", "leases,jobs", "-o", "name"); left != "" {
					t.Errorf("left: %s", left)
				}
				if out, code := bounded(w, w.Kubeconfig, "diff", "shop", "--exit-code"); args[0] != "teardown" && code != 0 {
					t.Errorf("differs:\n%s", out)
				}
			})
		}
	}
	c.all.Wait()
}
