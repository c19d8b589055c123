package control

import (
	"strings"
	"testing"

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

const routedApp = "app: shop\nrole: webserver\nport: 8080\nhosts: {internal: shop, external: killed.example.com}\n"

// If a command on an app with a route is killed at any of its writes, running it again leads to the state of an
// undisturbed run.
func routeKilledAtEveryWrite(t *testing.T, on *bed.Cluster) {
	w := bed.New(t, on)
	forge := []string{"forge", "shop", "--no-wait"}
	routes := func(w *bed.Workspace) string {
		return w.Kubectl("get", "ingresses,httproutes", "-o",
			"jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.labels} {.spec}{'\\n'}{end}")
	}
	for _, c := range []struct {
		name  string
		route string // before the command, or "" if there is no app
		next  string
		args  []string
	}{
		{"first forge", "", "route: {gateway: edge/public, section: tls}\n", forge},
		{"another kind", "route: {gateway: edge/public, section: tls}\n", "route: {ingress: none}\n", forge},
		{"no route", "route: {ingress: none}\n", "", forge},
		{"teardown", "route: {gateway: edge/public, section: tls}\n", "", []string{"teardown", "shop", "--yes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			prepare := func() {
				if c.route != "" {
					w.WriteApp("shop", routedApp+c.route)
					w.Norn(forge...)
				} else {
					w.WriteApp("shop", routedApp)
					w.Norn("teardown", "shop", "--yes")
				}
				w.WriteApp("shop", routedApp+c.next)
			}
			prepare()
			w.Norn(c.args...)
			want := w.State() + routes(w)
			if c.next != "" && !strings.Contains(want, "killed.example.com") {
				t.Fatalf("there is no route:\n%s", want)
			}
			for n := int32(1); ; n++ {
				prepare()
				hit := w.KillAt(n, true, c.args...)
				w.Norn(c.args...)
				if got := w.State() + routes(w); got != want {
					t.Fatalf("killed at write %d, then run again:\n%s\nundisturbed:\n%s", n, got, want)
				}
				if !hit {
					break
				}
			}
		})
	}
}
