package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// peer is a way to bring the same objects into the cluster.
type peer struct {
	name  string
	apply func(kubeconfig string) *exec.Cmd
	clean func()
}

// BenchmarkForge times norn forge beside kubectl apply --server-side and helm upgrade --install, of the same PersistentVolumeClaim, Deployment
// and Service, fresh and with nothing to change, and counts each one's requests. make bench-forge runs it.
func BenchmarkForge(b *testing.B) {
	helm := os.Getenv("NORN_BENCH_HELM")
	if helm == "" {
		b.Skip("no peers: run make bench-forge")
	}
	w := newBench(b)
	w.app("shop", "app: shop\nrole: webserver\nport: 8080\nhealthcheck: /healthz\nhosts: {internal: shop}\nenv: {LOG: debug}\nvolumes: [{name: data, mountPath: /data, size: 1Gi}]\n")
	manifests, err := w.command(w.kubeconfig, "render", "shop").Output()
	if err != nil {
		b.Fatal(err)
	}
	chart := filepath.Join(w.apps, "chart")
	file := filepath.Join(chart, "templates", "all.yaml")
	for path, text := range map[string]string{file: string(manifests), filepath.Join(chart, "Chart.yaml"): "apiVersion: v2\nname: shop\nversion: 1.0.0\n"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	tool := func(kubeconfig, name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Env = []string{"HOME=" + w.apps, "KUBECONFIG=" + kubeconfig, "PATH=" + os.Getenv("PATH")}
		return cmd
	}
	empty := func() { w.kubectl("-n", w.namespace, "delete", "deployments,services,persistentvolumeclaims", "--all") }
	peers := []peer{
		{"norn forge", func(k string) *exec.Cmd { return w.command(k, "forge", "shop") }, empty},
		{"kubectl apply --server-side", func(k string) *exec.Cmd {
			return tool(k, os.Getenv("NORN_TEST_KUBECTL"), "-n", w.namespace, "apply", "--server-side", "-f", file)
		}, empty},
		{"helm upgrade --install", func(k string) *exec.Cmd {
			return tool(k, helm, "-n", w.namespace, "upgrade", "--install", "shop", chart)
		}, func() {
			_ = tool(w.kubeconfig, helm, "-n", w.namespace, "uninstall", "shop").Run() // there may be none
			empty()
		}},
	}
	fresh, again := map[string]time.Duration{}, map[string]time.Duration{}
	for _, p := range peers {
		fresh[p.name] = median(w, p, true)
		again[p.name] = median(w, p, false)
		p.clean()
		freshCalls := requests(w, p)
		againCalls := requests(w, p)
		p.clean()
		fmt.Printf("%-28s fresh %4d ms (%d requests), no-op %4d ms (%d requests); norn takes %.2f and %.2f of it\n", p.name, fresh[p.name].Milliseconds(), freshCalls,
			again[p.name].Milliseconds(), againCalls, ratio(fresh["norn forge"], fresh[p.name]), ratio(again["norn forge"], again[p.name]))
	}
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

// median is the time of the middle one of eleven runs.
func median(w *bench, p peer, fresh bool) time.Duration {
	var times []time.Duration
	p.clean()
	if !fresh {
		must(w.t, p.apply(w.kubeconfig))
	}
	for range 11 {
		if fresh {
			p.clean()
		}
		cmd := p.apply(w.kubeconfig)
		begin := time.Now()
		must(w.t, cmd)
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	return times[len(times)/2]
}

func must(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
}

// requests counts what one run asks of the API server.
func requests(w *bench, p peer) int32 {
	var n atomic.Int32
	proxy, err := newAPIProxy(w.kubeconfig, w.apps, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			n.Add(1)
			next.ServeHTTP(rw, r)
		})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	defer proxy.Close()
	must(w.t, p.apply(proxy.Kubeconfig))
	return n.Load()
}
