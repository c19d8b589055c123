package control

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"norn/test/bed"
)

// The Gateway API belongs to the whole cluster, so these tests run in sequence on their own control plane.
func TestGateway(t *testing.T) {
	t.Parallel()
	c := bed.OwnControlPlane(t)
	t.Run("script", func(t *testing.T) {
		testscript.Run(t, bed.Scripts(t, c, "testdata/gateway"))
	})
	t.Run("killed at every write", func(t *testing.T) { routeKilledAtEveryWrite(t, c) })
}

// If a command on an app with a route is killed at any of its writes of a route, running it again leads to the state of
// an undisturbed run.
func routeKilledAtEveryWrite(t *testing.T, on *bed.Cluster) {
	on.Kubectl(t, "apply", "-f", "testdata/gateway/crds.yaml")
	on.Kubectl(t, "wait", "--for=condition=Established", "--timeout=3m", "crd/httproutes.gateway.networking.k8s.io",
		"crd/gateways.gateway.networking.k8s.io")
	bed.Eventually(t, time.Minute, "the cluster serves HTTPRoutes", func() bool {
		served := on.Kubectl(t, "api-resources", "--api-group=gateway.networking.k8s.io", "--output=name")
		return strings.Contains(served, "httproutes") && strings.Contains(served, "gateways")
	})
	on.Kubectl(t, "apply", "-f", "testdata/gateway/gateway.yaml")
	forge := []string{"forge", "shop", "--no-wait"}
	state := func(w *bed.Workspace) string {
		routes := w.Kubectl("get", "ingresses,httproutes", "-o",
			"jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.labels} {.spec}{'\\n'}{end}")
		return w.State() + strings.ReplaceAll(routes, w.Namespace, "NAMESPACE")
	}
	ofRoute := func(r *http.Request) bool {
		return bed.Changes(r) &&
			(strings.Contains(r.URL.Path, "/ingresses/") || strings.Contains(r.URL.Path, "/httproutes/"))
	}
	for _, c := range []struct {
		name  string
		route string // before the command, or "" if there is no app
		next  string
		args  []string
		rare  bool // only with bed.All
	}{
		{"first forge", "", "route: {gateway: edge/public, section: tls}\n", forge, true},
		{"another kind", "route: {gateway: edge/public, section: tls}\n", "route: {ingress: none}\n", forge, false},
		{"no route", "route: {ingress: none}\n", "", forge, true},
		{"teardown", "route: {gateway: edge/public, section: tls}\n", "", []string{"teardown", "shop", "--yes"}, false},
	} {
		if c.rare && !bed.All() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			w := bed.New(t, on)
			app := "app: shop\nrole: webserver\nport: 8080\nhosts: {internal: shop, external: " + w.Namespace + ".example.com}\n"
			prepare := func() {
				if c.route != "" {
					w.WriteApp("shop", app+c.route)
					w.Norn(forge...)
				} else {
					w.WriteApp("shop", app)
					w.Norn("teardown", "shop", "--yes")
				}
				w.WriteApp("shop", app+c.next)
			}
			prepare()
			w.Norn(c.args...)
			want := state(w)
			if c.next != "" && !strings.Contains(want, "NAMESPACE.example.com") {
				t.Fatalf("there is no route:\n%s", want)
			}
			for n := int32(1); ; n++ {
				prepare()
				hit := w.KillAtWrite(ofRoute, n, true, c.args...)
				w.Norn(c.args...)
				if got := state(w); got != want {
					t.Fatalf("killed at write %d, then run again:\n%s\nundisturbed:\n%s", n, got, want)
				}
				if !hit {
					if n < 2 && c.name != "no route" && c.name != "teardown" {
						t.Errorf("only %d kills: the command makes more writes", n-1)
					}
					break
				}
			}
		})
	}
}
