package bench

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"norn/test/bed"
)

// peer is a tool that applies the same objects.
type peer struct {
	name  string
	apply func(kubeconfig string) *exec.Cmd
	clean func()
}

// BenchmarkForge measures norn forge, kubectl apply --server-side and helm upgrade --install with the same
// PersistentVolumeClaim, Deployment and Service: once with new objects and once without changes. It also counts each
// tool's requests. Run it with make bench-forge.
func BenchmarkForge(b *testing.B) {
	helm := os.Getenv("NORN_BENCH_HELM")
	if helm == "" {
		b.Skip("no other tools: run make bench-forge")
	}
	w := &world{bed.New(b, bed.Shared(b))}
	w.WriteApp("shop", "app: shop\nrole: webserver\nport: 8080\nhealthcheck: /healthz\nhosts: {internal: shop}\n"+
		"env: {LOG: debug}\nvolumes: [{name: data, mountPath: /data, size: 1Gi}]\n")
	manifests, err := w.Command(w.Kubeconfig, "render", "shop").Output()
	if err != nil {
		b.Fatal(err)
	}
	chart := filepath.Join(w.Home, "chart")
	file := filepath.Join(chart, "templates", "all.yaml")
	files := map[string]string{
		file:                               string(manifests),
		filepath.Join(chart, "Chart.yaml"): "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
	}
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	empty := func() { w.Kubectl("delete", "deployments,services,persistentvolumeclaims", "--all") }
	peers := []peer{
		{"norn forge", func(k string) *exec.Cmd { return w.Command(k, "forge", "shop") }, empty},
		{"kubectl apply --server-side", func(k string) *exec.Cmd {
			return w.Tool(k, bed.Kubectl(b), "-n", w.Namespace, "apply", "--server-side", "-f", file)
		}, empty},
		{"helm upgrade --install", func(k string) *exec.Cmd {
			return w.Tool(k, helm, "-n", w.Namespace, "upgrade", "--install", "shop", chart)
		}, func() {
			_ = w.Tool(w.Kubeconfig, helm, "-n", w.Namespace, "uninstall", "shop").Run() // it might not be installed
			empty()
		}},
	}
	fresh, again := map[string]time.Duration{}, map[string]time.Duration{}
	for _, p := range peers {
		fresh[p.name] = median(w, p, true)
		again[p.name] = median(w, p, false)
		p.clean()
		freshCalls := requests(w, p.apply)
		againCalls := requests(w, p.apply)
		p.clean()
		fmt.Printf("%-28s fresh %4d ms (%d requests), no-op %4d ms (%d requests); norn takes %.2f and %.2f of it\n",
			p.name, fresh[p.name].Milliseconds(), freshCalls, again[p.name].Milliseconds(), againCalls,
			ratio(fresh["norn forge"], fresh[p.name]), ratio(again["norn forge"], again[p.name]))
	}
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

// median returns the median time of eleven runs.
func median(w *world, p peer, fresh bool) time.Duration {
	var times []time.Duration
	p.clean()
	if !fresh {
		bed.Run(w.T, p.apply(w.Kubeconfig))
	}
	for range 11 {
		if fresh {
			p.clean()
		}
		cmd := p.apply(w.Kubeconfig)
		begin := time.Now()
		bed.Run(w.T, cmd)
		times = append(times, time.Since(begin))
	}
	return middle(times)
}

// requests returns the number of requests that one run makes to the API server.
func requests(w *world, run func(kubeconfig string) *exec.Cmd) int32 {
	var n atomic.Int32
	proxy, err := bed.NewAPIProxy(w.Kubeconfig, w.Home, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			n.Add(1)
			next.ServeHTTP(rw, r)
		})
	})
	if err != nil {
		w.T.Fatal(err)
	}
	defer proxy.Close()
	bed.Run(w.T, run(proxy.Kubeconfig))
	return n.Load()
}
