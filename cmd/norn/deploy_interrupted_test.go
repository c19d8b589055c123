package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// shipping is an app with a secret and a migration, in a repository of its own.
type shipping struct {
	*bench
	dir, tmp string
	env      []string
}

const shippedApp = `app: moody
role: worker
env: {PORT: "8080"}
secrets: [DATABASE_URL]
migrations: {command: [/moody, migrate], database: shop}
`

func newShipping(t *testing.T, infraspec string) *shipping {
	t.Helper()
	b := newBench(t)
	s := &shipping{bench: b, dir: filepath.Join(b.apps, "moody"), tmp: t.TempDir()}
	if err := os.CopyFS(s.dir, os.DirFS(filepath.Join("..", "..", "testdata", "apps", "moody"))); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(os.Getenv("NORN_TEST_BINARIES"), "moody"))
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, "moody"), data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.app("moody", infraspec)
	bin := filepath.Dir(os.Getenv("NORN_TEST_KUBECTL"))
	s.env = []string{
		"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH"), "TMPDIR=" + s.tmp, "NORN_REGISTRY_URL=" + os.Getenv("NORN_TEST_REGISTRY"),
		"SOPS_AGE_KEY_FILE=" + filepath.Join(s.dir, "test-key.txt"), "NORN_BUILDER=buildah", "BUILDAH_ISOLATION=chroot", "STORAGE_DRIVER=vfs",
	}
	s.git("init", "-q")
	s.commit("first")
	return s
}

func (s *shipping) git(args ...string) {
	s.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", s.dir, "-c", "user.name=t", "-c", "user.email=t@localhost"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("git %v: %v: %s", args, err, out)
	}
}

// commit makes another version: the image has its commit in it.
func (s *shipping) commit(message string) {
	s.t.Helper()
	s.git("add", "-A")
	s.git("commit", "-q", "--allow-empty", "-m", message)
}

func (s *shipping) mood(text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "mood.txt"), []byte(text+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
	s.commit(text)
}

func (s *shipping) command(kubeconfig string, args ...string) *exec.Cmd {
	cmd := s.bench.command(kubeconfig, args...)
	cmd.Env = append(cmd.Env, s.env...)
	return cmd
}

func (s *shipping) deploy(args ...string) {
	s.t.Helper()
	out, err := s.command(s.kubeconfig, append([]string{"deploy", "moody"}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("norn deploy: %v\n%s", err, out)
	}
}

// version is any version's image, commit or digest.
var version12 = regexp.MustCompile(`[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{12}`)

// whole is the state without what tells versions apart, and checks that nothing is left beside it.
func (s *shipping) whole(t *testing.T, when string) string {
	t.Helper()
	if jobs := s.kubectl("-n", s.namespace, "get", "jobs,leases", "-o", "name"); jobs != "" {
		t.Errorf("%s: left: %s", when, jobs)
	}
	s.nothingLeft(t, when)
	return version12.ReplaceAllString(s.state(), "VERSION")
}

func (s *shipping) nothingLeft(t *testing.T, when string) {
	t.Helper()
	if left, err := os.ReadDir(s.tmp); err != nil || len(left) > 0 {
		t.Errorf("%s: temporary files left: %v %v", when, left, err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "snapshots", ".*.partial")); len(left) > 0 {
		t.Errorf("%s: half a snapshot left: %v", when, left)
	}
}

// A deploy that is cut short anywhere leaves nothing half done that the same command would not complete.
func TestDeployCutShort(t *testing.T) {
	if os.Getenv("NORN_TEST_KUBECONFIG") == "" {
		t.Skip("no devcluster: run make sessions")
	}
	database := "NORN_PG_LOCAL_HOST=" + startPostgres(t, "shop").dir
	t.Run("killed at every write", func(t *testing.T) { t.Parallel(); killedAtEveryWrite(t, database) })
	t.Run("signalled in each step", func(t *testing.T) { t.Parallel(); signalledInEachStep(t, database) })
	t.Run("API server away", func(t *testing.T) { t.Parallel(); ridesOutAnOutage(t) })
}

// Killed before or after any of a deploy's writes, the same command run again comes to what an undisturbed run comes to.
func killedAtEveryWrite(t *testing.T, database string) {
	s := newShipping(t, shippedApp)
	s.env = append(s.env, database)
	s.deploy("--forge")
	s.commit("second")
	s.deploy()
	want := s.whole(t, "undisturbed")
	kills := 0
	for _, after := range []bool{false, true} {
		for n := int32(1); ; n++ {
			s.commit("next")
			hit := s.killedAt(n, after)
			when := fmt.Sprintf("killed at write %d (after: %v), then run again", n, after)
			s.deploy()
			if got := s.whole(t, when); got != want {
				t.Fatalf("%s:\n%s\nundisturbed:\n%s", when, got, want)
			}
			if !hit {
				break
			}
			kills++
		}
	}
	t.Logf("%d kills", kills)
	if kills < 12 {
		t.Errorf("only %d kills: there is more to write than that", kills)
	}
}

// killedAt is killAt for a deploy.
func (s *shipping) killedAt(n int32, after bool) bool {
	return s.killing(n, after, func(kubeconfig string) *exec.Cmd { return s.command(kubeconfig, "deploy", "moody") })
}

var deploySteps = []string{"source", "build", "push", "test", "snapshot", "migrate", "secrets", "rollout", "cleanup"}

// Killed or interrupted at the beginning of each step, the same command completes. An interrupt lets go of the lock and the temporary
// files by itself.
func signalledInEachStep(t *testing.T, database string) {
	s := newShipping(t, shippedApp+"build: {test: 'true'}\n")
	s.env = append(s.env, database)
	s.deploy("--forge")
	s.commit("second")
	s.deploy()
	want := s.whole(t, "undisturbed")
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		for _, step := range deploySteps {
			when := fmt.Sprintf("%s in step %s", signal, step)
			s.commit(when)
			code := s.signalIn(t, step, signal)
			if signal == syscall.SIGINT {
				if code != 130 && code != 0 { // what is over in no time may be done before
					t.Errorf("%s: exit code %d", when, code)
				}
				if leases := s.kubectl("-n", s.namespace, "get", "leases,jobs", "-o", "name"); leases != "" {
					t.Errorf("%s: left: %s", when, leases)
				}
				s.nothingLeft(t, when)
			}
			s.deploy()
			if got := s.whole(t, when); got != want {
				t.Fatalf("%s, then run again:\n%s\nundisturbed:\n%s", when, got, want)
			}
		}
	}
}

// signalIn sends a signal when a step begins, and returns the exit code, -1 for a death by signal.
func (s *shipping) signalIn(t *testing.T, step string, signal syscall.Signal) int {
	t.Helper()
	cmd := s.command(s.kubeconfig, "deploy", "moody", "-o", "json")
	events, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var steps []string
	for lines := bufio.NewScanner(events); lines.Scan(); {
		var e struct{ Event, Step string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Errorf("%s: %v", lines.Text(), err)
		}
		if e.Event != "started" {
			continue
		}
		steps = append(steps, e.Step)
		if e.Step == step {
			if err := cmd.Process.Signal(signal); err != nil {
				t.Error(err)
			}
		}
	}
	_ = cmd.Wait() // its exit code says it
	if !slices.Contains(steps, step) {
		t.Errorf("step %s was not begun; there were %v", step, steps)
	}
	return cmd.ProcessState.ExitCode()
}

// outage is an API server that can be away: every connection is cut, and no new one answered.
type outage struct {
	*apiProxy
	away atomic.Bool
	once sync.Once
}

// newOutage makes one that goes away for a while at the first write that a deploy makes to the Deployment.
func newOutage(t *testing.T, s *shipping, length time.Duration) *outage {
	t.Helper()
	o := &outage{}
	proxy, err := newAPIProxy(s.kubeconfig, s.apps, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if o.away.Load() {
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
			if writes(r) && strings.HasSuffix(r.URL.Path, "/deployments/moody") {
				o.once.Do(func() {
					go func() { // the answer is on its way, and cut off with the rest
						o.away.Store(true)
						o.CloseClientConnections()
						time.Sleep(length)
						o.away.Store(false)
					}()
				})
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	o.apiProxy = proxy
	t.Cleanup(proxy.Close)
	return o
}

// An API server that is away for ten seconds in the middle of a rollout is waited for, whichever way the rollout goes.
func ridesOutAnOutage(t *testing.T) {
	s := newShipping(t, "app: moody\nrole: webserver\nport: 8080\nhealthcheck: /healthz\nhosts: {internal: moody}\nenv: {PORT: \"8080\"}\n")
	s.deploy("--forge")
	for _, c := range []struct {
		mood string
		code int
		says string
	}{
		{"serve on", 0, "rollout done: revision 2, 1 of 1 pods available"},
		{"exit 3", 4, "failed (CrashLoop): container moody ended with exit code 3"},
	} {
		s.mood(c.mood)
		cmd := s.command(newOutage(t, s, 10*time.Second).Kubeconfig, "deploy", "moody")
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != c.code || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: exit code %d\n%s", c.mood, cmd.ProcessState.ExitCode(), out)
		}
		if c.code == 4 && !strings.Contains(string(out), "the previous version was restored") {
			t.Errorf("%s: not restored\n%s", c.mood, out)
		}
	}
}
