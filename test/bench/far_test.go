package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"norn/test/bed"
)

// journey is a task that norn and its peers do, far from the cluster.
type journey struct {
	name string
	ways []way // norn's first
}

// way is how one tool does a task.
type way struct {
	tool    string
	prepare func()
	run     func(kubeconfig string) *exec.Cmd
}

// roundTrips are the distances to the API server.
var roundTrips = []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond}

// BenchmarkFar counts the round trips for which norn, kubectl and helm wait: the slope of a command's time over the
// distance to the API server, with the connection's TCP and TLS handshakes. The Pods become ready at once, so the
// rollouts themselves take no time to speak of. Run it with make bench-far.
func BenchmarkFar(b *testing.B) {
	helm := os.Getenv("NORN_BENCH_HELM")
	if helm == "" {
		b.Skip("no other tools: run make bench-far")
	}
	f := newFar(b, helm)
	kubeconfigs := make([]string, len(roundTrips))
	for i, d := range roundTrips {
		kubeconfigs[i] = f.Far(d)
	}
	for _, j := range f.journeys() {
		for _, w := range j.ways {
			took := make([]time.Duration, len(roundTrips))
			for i, kubeconfig := range kubeconfigs {
				took[i] = f.median(w, kubeconfig)
			}
			last := len(roundTrips) - 1
			w.prepare()
			fmt.Printf("%-30s %-8s %5.1f round trips, %5.2f s at %s, %5.2f s at once, %d requests\n", j.name, w.tool,
				float64(took[last]-took[0])/float64(roundTrips[last]), took[last].Seconds(), roundTrips[last],
				took[0].Seconds(), requests(f.world, w.run))
		}
	}
}

// far is a namespace with an app of norn, and one that kubectl and helm manage.
type far struct {
	*world
	helm, chart, file string
}

const farApp = `app: shop
role: webserver
port: 8080
healthcheck: /healthz
hosts: {internal: shop}
env: {LOG: debug}
`

func newFar(b *testing.B, helm string) *far {
	w := &world{bed.New(b, bed.ControlPlane(b))}
	w.PretendToRun()
	w.WriteApp("shop", farApp)
	f := &far{world: w, helm: helm, chart: filepath.Join(w.Home, "chart")}
	f.file = filepath.Join(w.Home, "manifests.yaml")
	manifests, err := w.Command(w.Kubeconfig, "render", "shop", "--image", farImage("first")).Output()
	if err != nil {
		b.Fatal(err)
	}
	running := strings.ReplaceAll(string(manifests), "paused: true", "paused: false")
	template := strings.ReplaceAll(running, farImage("first"), "{{ .Values.image }}")
	files := map[string]string{
		f.file: running,
		filepath.Join(f.chart, "templates", "all.yaml"): template,
		filepath.Join(f.chart, "Chart.yaml"):            "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
	}
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return f
}

// farImage returns the name of an image that does not exist. Its digest is that of its name.
func farImage(name string) string { return fmt.Sprintf("example.com/%s@sha256:%064x", name, len(name)) }

// norn returns norn's way to do a task.
func (f *far) norn(prepare func(), args ...string) way {
	return way{"norn", prepare, func(k string) *exec.Cmd { return f.Command(k, args...) }}
}

// kubectl returns kubectl's way, by one command after the other.
func (f *far) kubectl(prepare func(), commands ...string) way {
	return way{"kubectl", prepare, func(k string) *exec.Cmd {
		script := make([]string, len(commands))
		for i, c := range commands {
			script[i] = fmt.Sprintf("%s -n %s %s", bed.Kubectl(f.T), f.Namespace, c)
		}
		return f.Tool(k, "/bin/sh", "-c", strings.Join(script, " && "))
	}}
}

// helmWay returns helm's way.
func (f *far) helmWay(prepare func(), args ...string) way {
	return way{"helm", prepare, func(k string) *exec.Cmd {
		return f.Tool(k, f.helm, append([]string{"-n", f.Namespace}, args...)...)
	}}
}

// nothing leaves no object of a tool.
func (f *far) nothing() {
	_ = f.helmWay(nil, "uninstall", "shop", "--wait").run(f.Kubeconfig).Run() // it might not be installed
	f.Kubectl("delete", "deployments,services,poddisruptionbudgets,secrets,leases", "--all", "--cascade=foreground")
}

// journeys returns all tasks.
func (f *far) journeys() []journey {
	first, second := farImage("first"), farImage("second")
	upgrade := func(image string) []string {
		return []string{"upgrade", "--install", "shop", f.chart, "--set", "image=" + image, "--wait"}
	}
	forged := func() { f.nothing(); f.Norn("forge", "shop") }
	deployed := func() { f.nothing(); f.Norn("deploy", "shop", "--image", first) }
	twice := func() { deployed(); f.Norn("deploy", "shop", "--image", second) }
	applied := func() {
		f.nothing()
		bed.Run(f.T, f.kubectl(nil, "apply --server-side -f "+f.file, wait).run(f.Kubeconfig))
	}
	changed := func() { applied(); bed.Run(f.T, f.kubectl(nil, setImage(second), wait).run(f.Kubeconfig)) }
	released := func() { f.nothing(); bed.Run(f.T, f.helmWay(nil, upgrade(first)...).run(f.Kubeconfig)) }
	upgraded := func() { released(); bed.Run(f.T, f.helmWay(nil, upgrade(second)...).run(f.Kubeconfig)) }
	apply := "apply --server-side -f " + f.file
	return []journey{
		{"forge, fresh", []way{f.norn(f.nothing, "forge", "shop"), f.kubectl(f.nothing, apply),
			f.helmWay(f.nothing, "upgrade", "--install", "shop", f.chart, "--set", "image="+first)}},
		{"forge, no change", []way{f.norn(forged, "forge", "shop"), f.kubectl(applied, apply),
			f.helmWay(released, "upgrade", "--install", "shop", f.chart, "--set", "image="+first)}},
		{"diff", []way{f.norn(deployed, "diff", "shop"), f.kubectl(applied, "diff --server-side -f "+f.file)}},
		{"deploy, new version", []way{f.norn(deployed, "deploy", "shop", "--version-only", "--image", second),
			f.kubectl(applied, setImage(second), wait), f.helmWay(released, upgrade(second)...)}},
		{"deploy, same version", []way{f.norn(deployed, "deploy", "shop", "--version-only", "--image", first),
			f.kubectl(applied, setImage(first), wait), f.helmWay(released, upgrade(first)...)}},
		{"deploy with the objects, fresh", []way{f.norn(f.nothing, "deploy", "shop", "--image", first),
			f.kubectl(f.nothing, apply, wait), f.helmWay(f.nothing, upgrade(first)...)}},
		{"rollback", []way{f.norn(twice, "rollback", "shop"),
			f.kubectl(changed, "rollout undo deployment/shop", wait), f.helmWay(upgraded, "rollback", "shop", "--wait")}},
		{"restart", []way{f.norn(deployed, "restart", "shop"),
			f.kubectl(applied, "rollout restart deployment/shop", wait)}},
		{"status", []way{f.norn(deployed, "status"), f.kubectl(applied, "get deployments"),
			f.helmWay(released, "list")}},
		{"status APP", []way{f.norn(deployed, "status", "shop"),
			f.kubectl(applied, "get deployments,replicasets,pods"), f.helmWay(released, "status", "shop")}},
		{"history", []way{f.norn(deployed, "history", "shop"),
			f.kubectl(applied, "rollout history deployment/shop"), f.helmWay(released, "history", "shop")}},
		{"teardown", []way{f.norn(deployed, "teardown", "shop", "--yes"), f.kubectl(applied, "delete -f "+f.file),
			f.helmWay(released, "uninstall", "shop")}},
	}
}

const wait = "rollout status deployment/shop --timeout=1m"

func setImage(image string) string { return "set image deployment/shop shop=" + image }

// median returns the median time of three runs.
func (f *far) median(w way, kubeconfig string) time.Duration {
	var times []time.Duration
	for range 3 {
		w.prepare()
		cmd := w.run(kubeconfig)
		begin := time.Now()
		bed.Run(f.T, cmd)
		times = append(times, time.Since(begin))
	}
	return middle(times)
}
