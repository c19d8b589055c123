package interrupted

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"norn/test/bed"
)

// outage is an API server that can become unreachable: it closes all connections and accepts no new ones.
type outage struct {
	*bed.APIProxy
	away atomic.Bool
	once sync.Once
}

// newOutage returns an API server that is unreachable for a while, beginning at a deploy's first write to the
// Deployment.
func newOutage(t *testing.T, s *shipping, length time.Duration) *outage {
	t.Helper()
	o := &outage{}
	proxy, err := bed.NewAPIProxy(s.Kubeconfig, s.Home, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if o.away.Load() {
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
			if bed.Writes(r) && strings.HasSuffix(r.URL.Path, "/deployments/moody") {
				o.once.Do(func() {
					go func() { // the response is lost with the connection
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
	o.APIProxy = proxy
	t.Cleanup(proxy.Close)
	return o
}

const servingApp = `app: moody
role: webserver
port: 8080
healthcheck: /healthz
hosts: {internal: moody}
env: {PORT: "8080"}
`

// If the API server is unreachable for ten seconds during the rollout, the deploy waits. This is tested for a rollout
// that succeeds and for one that fails.
func TestOutage(t *testing.T) {
	t.Parallel()
	s := newShipping(t, servingApp, nil)
	s.Norn("deploy", "moody")
	for _, c := range []struct {
		mood string
		code int
		says string
	}{
		{"serve on", 0, "rollout done: revision 2, 1 of 1 Pods available"},
		{"exit 3", 4, "failed (CrashLoop): container moody ended with exit code 3"},
	} {
		s.mood(c.mood)
		cmd := s.Command(newOutage(t, s, 10*time.Second).Kubeconfig, "deploy", "moody")
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != c.code || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: exit code %d\n%s", c.mood, cmd.ProcessState.ExitCode(), out)
		}
		if c.code == 4 && !strings.Contains(string(out), "the previous version was restored") {
			t.Errorf("%s: not restored\n%s", c.mood, out)
		}
	}
}
