package control

import (
	"strings"
	"testing"

	"norn/test/bed"
)

const wholeApp = `app: shop
role: webserver
port: 8080
healthcheck: /healthz
hosts: {internal: shop, external: shop.example.com}
env: {LOG: debug, OLD: x}
volumes: [{name: data, mountPath: /data, size: 1Gi}, {name: more, mountPath: /more, size: 1Gi}]
`

const changedApp = `app: shop
role: webserver
port: 8081
hosts: {internal: store, external: store.example.com}
env: {LOG: info, NEW: x}
volumes: [{name: data, mountPath: /data, size: 2Mi}]
`

// If a command is killed at any of its writes, running it again leads to the state of an undisturbed run.
func killedAtEveryWrite(t *testing.T, on *bed.Cluster) {
	smaller := strings.Replace(changedApp, "size: 2Mi", "size: 1Gi", 1)
	for _, c := range []struct {
		name    string
		prepare func(w *bed.Workspace) // before each run
		args    []string
		rare    bool // only with bed.All
	}{
		{"forge", func(w *bed.Workspace) { w.WriteApp("shop", wholeApp) }, []string{"forge", "shop"}, false},
		{"re-forge", func(w *bed.Workspace) {
			w.WriteApp("shop", wholeApp)
			w.Norn("forge", "shop")
			w.WriteApp("shop", smaller)
		}, []string{"forge", "shop"}, true},
		{"another role", func(w *bed.Workspace) {
			w.WriteApp("shop", wholeApp)
			w.Norn("forge", "shop")
			w.WriteApp("shop", "app: shop\nrole: cron\nschedule: '@daily'\ncommand: x\n")
		}, []string{"forge", "shop"}, true},
		{"teardown", func(w *bed.Workspace) {
			w.WriteApp("shop", wholeApp)
			w.Norn("forge", "shop")
		}, []string{"teardown", "shop", "--yes", "--delete-data"}, false},
	} {
		if c.rare && !bed.All() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			w := bed.New(t, on)
			w.WithTunnel("ingress:\n  # The rest.\n  - service: http_status:404\n")
			clean := func() { w.Norn("teardown", "shop", "--yes", "--delete-data") }
			w.WriteApp("shop", wholeApp)
			c.prepare(w)
			w.Norn(c.args...)
			want := w.State()
			clean()
			kills := 0
			moments := []bool{true}
			if bed.All() {
				moments = []bool{true, false} // before a write is nearly the same as after the one before it
			}
			for _, after := range moments {
				for n := int32(1); ; n++ {
					c.prepare(w)
					hit := w.KillAt(n, after, c.args...)
					w.Norn(c.args...)
					if got := w.State(); got != want {
						t.Fatalf("killed at write %d (after: %v), then run again:\n%s\nundisturbed:\n%s",
							n, after, got, want)
					}
					clean()
					if !hit {
						break
					}
					kills++
				}
			}
			t.Logf("%d kills", kills)
			if kills < 4*len(moments) {
				t.Errorf("only %d kills: the command makes more writes", kills)
			}
		})
	}
}
