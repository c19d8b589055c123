package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// bench is a namespace of the devcluster, and the built binary that works on it.
type bench struct {
	t          testing.TB
	kubeconfig string
	namespace  string
	apps       string // the apps folder
	tunnel     bool   // there is a tunnel's configuration

	rotated map[string]bool // logs, and when each was rotated
}

func newBench(t testing.TB) *bench {
	t.Helper()
	kubeconfig := os.Getenv("NORN_TEST_KUBECONFIG")
	if kubeconfig == "" {
		t.Skip("no devcluster: run make sessions")
	}
	suffix := make([]byte, 4)
	if _, err := rand.Read(suffix); err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, kubeconfig: kubeconfig, namespace: "bench-" + hex.EncodeToString(suffix), apps: t.TempDir(), rotated: map[string]bool{}}
	b.kubectl("create", "namespace", b.namespace)
	t.Cleanup(func() { b.kubectl("delete", "namespace", b.namespace, "--wait=false") })
	return b
}

func (b *bench) kubectl(args ...string) string {
	b.t.Helper()
	out, err := exec.Command(os.Getenv("NORN_TEST_KUBECTL"), append([]string{"--kubeconfig", b.kubeconfig}, args...)...).CombinedOutput()
	if err != nil {
		b.t.Fatalf("kubectl %v: %v: %s", args, err, out)
	}
	return string(out)
}

// withTunnel gives the cluster a tunnel's configuration.
func (b *bench) withTunnel(text string) {
	b.t.Helper()
	b.kubectl("create", "namespace", "cloudflared")
	b.t.Cleanup(func() { b.kubectl("delete", "namespace", "cloudflared") })
	b.kubectl("-n", "cloudflared", "create", "configmap", "cloudflared", "--from-literal=config.yaml="+text)
	b.tunnel = true
}

// app writes an app's infraspec.
func (b *bench) app(name, text string) {
	b.t.Helper()
	dir := filepath.Join(b.apps, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "infraspec.yaml"), []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// command is the built binary, with a home folder and settings of its own.
func (b *bench) command(kubeconfig string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Getenv("NORN_TEST_NORN"), append(args, "-n", b.namespace)...)
	cmd.Env = []string{"HOME=" + b.apps, "KUBECONFIG=" + kubeconfig, "NORN_APPS_DIR=" + b.apps, "PATH=" + os.Getenv("PATH")}
	return cmd
}

// norn runs the binary to its good end.
func (b *bench) norn(args ...string) {
	b.t.Helper()
	if out, err := b.command(b.kubeconfig, args...).CombinedOutput(); err != nil {
		b.t.Fatalf("norn %v: %v\n%s", args, err, out)
	}
}

// state is what the cluster has in the namespace, without what differs between any two runs.
func (b *bench) state() string {
	b.t.Helper()
	var list struct{ Items []map[string]any }
	data := b.kubectl("-n", b.namespace, "get", "deployments,cronjobs,services,persistentvolumeclaims,secrets,leases", "-o", "json", "--show-managed-fields")
	if err := json.Unmarshal([]byte(data), &list); err != nil {
		b.t.Fatal(err)
	}
	for _, item := range list.Items {
		delete(item, "status")
		forget(item)
	}
	text, err := json.MarshalIndent(list.Items, "", " ")
	if err != nil {
		b.t.Fatal(err)
	}
	if b.tunnel {
		text = append(text, b.kubectl("-n", "cloudflared", "get", "configmap", "cloudflared", "-o", "jsonpath={.metadata.annotations}{.data}")...)
	}
	return strings.ReplaceAll(string(text), b.namespace, "NAMESPACE")
}

// fleeting are fields that the server sets anew for each object, or that only tell when.
var fleeting = []string{"uid", "resourceVersion", "generation", "creationTimestamp", "time", "clusterIP", "clusterIPs", "volumeName", "annotations", "deletionTimestamp", "deletionGracePeriodSeconds"}

func forget(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range fleeting {
			delete(v, name)
		}
		if fields, ok := v["managedFields"].([]any); ok {
			var norns []any
			for _, f := range fields { // the controllers' come when they come
				if m, ok := f.(map[string]any); ok && strings.HasPrefix(fmt.Sprint(m["manager"]), "norn") {
					norns = append(norns, f)
				}
			}
			v["managedFields"] = norns
		}
		for _, child := range v {
			forget(child)
		}
	case []any:
		for _, child := range v {
			forget(child)
		}
	}
}

// writes reports whether a request changes something in the cluster. Reviews only ask.
func writes(r *http.Request) bool {
	return r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/authorization.k8s.io/")
}

// killAt runs a command and kills it with SIGKILL at its n-th write, before the API server has it or after it
// has answered. It reports whether there was such a write.
func (b *bench) killAt(n int32, after bool, args ...string) bool {
	b.t.Helper()
	return b.killing(n, after, func(kubeconfig string) *exec.Cmd { return b.command(kubeconfig, args...) })
}

func (b *bench) killing(n int32, after bool, command func(kubeconfig string) *exec.Cmd) bool {
	b.t.Helper()
	var count atomic.Int32
	var victim *exec.Cmd
	started := make(chan struct{})
	kill := func() {
		<-started
		_ = victim.Process.Signal(syscall.SIGKILL)
	}
	proxy, err := newAPIProxy(b.kubeconfig, b.apps, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case !writes(r) || count.Add(1) != n:
				next.ServeHTTP(w, r)
			case after:
				next.ServeHTTP(httptestDiscard{}, r)
				kill()
			default:
				kill()
			}
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	defer proxy.Close()
	victim = command(proxy.Kubeconfig)
	var said bytes.Buffer
	victim.Stdout, victim.Stderr = &said, &said
	if err := victim.Start(); err != nil {
		b.t.Fatal(err)
	}
	close(started)
	err = victim.Wait()
	if err != nil && count.Load() < n {
		b.t.Fatalf("%v: %v\n%s", victim.Args, err, said.String())
	}
	return count.Load() >= n
}

// httptestDiscard takes an answer that its asker will not live to see.
type httptestDiscard struct{}

func (httptestDiscard) Header() http.Header         { return http.Header{} }
func (httptestDiscard) Write(p []byte) (int, error) { return len(p), nil }
func (httptestDiscard) WriteHeader(int)             {}

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

// Killed before or after any of its writes, the same command run again comes to what an undisturbed run comes to.
func TestKilledAtEveryWrite(t *testing.T) {
	smaller := strings.Replace(changedApp, "size: 2Mi", "size: 1Gi", 1)
	for _, c := range []struct {
		name    string
		prepare func(b *bench) // before each run
		args    []string
	}{
		{"forge", func(b *bench) { b.app("shop", wholeApp) }, []string{"forge", "shop"}},
		{"re-forge", func(b *bench) {
			b.app("shop", wholeApp)
			b.norn("forge", "shop")
			b.app("shop", smaller)
		}, []string{"forge", "shop"}},
		{"another role", func(b *bench) {
			b.app("shop", wholeApp)
			b.norn("forge", "shop")
			b.app("shop", "app: shop\nrole: cron\nschedule: '@daily'\ncommand: x\n")
		}, []string{"forge", "shop"}},
		{"teardown", func(b *bench) {
			b.app("shop", wholeApp)
			b.norn("forge", "shop")
		}, []string{"teardown", "shop", "--yes", "--delete-data"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.withTunnel("ingress:\n  # The rest.\n  - service: http_status:404\n")
			clean := func() { b.norn("teardown", "shop", "--yes", "--delete-data") }
			b.app("shop", wholeApp)
			c.prepare(b)
			b.norn(c.args...)
			want := b.state()
			clean()
			kills := 0
			for _, after := range []bool{false, true} {
				for n := int32(1); ; n++ {
					c.prepare(b)
					hit := b.killAt(n, after, c.args...)
					b.norn(c.args...)
					if got := b.state(); got != want {
						t.Fatalf("killed at write %d (after: %v), then run again:\n%s\nundisturbed:\n%s", n, after, got, want)
					}
					clean()
					if !hit {
						break
					}
					kills++
				}
			}
			t.Logf("%d kills", kills)
			if kills < 8 {
				t.Errorf("only %d kills: there is more to write than that", kills)
			}
		})
	}
}

// Fifty apps forged at once into one tunnel configuration lose nothing.
func TestFiftyForgesOfOneTunnel(t *testing.T) {
	b := newBench(t)
	const text = "# The tunnel.\ntunnel: norn # its name\ningress:\n  # By hand.\n  - hostname: hand.example.com\n    service: http://hand:80\n  # The rest.\n  - service: http_status:404\n"
	b.withTunnel(text)
	const n = 50
	var running sync.WaitGroup
	for i := range n {
		name := fmt.Sprintf("app-%02d", i)
		b.app(name, fmt.Sprintf("app: %s\nrole: webserver\nport: 80\nhosts: {internal: %[1]s, external: %[1]s.example.com}\n", name))
		running.Go(func() {
			if out, err := b.command(b.kubeconfig, "forge", name).CombinedOutput(); err != nil {
				t.Errorf("norn forge %s: %v\n%s", name, err, out)
			}
		})
	}
	running.Wait()
	got := b.kubectl("-n", "cloudflared", "get", "configmap", "cloudflared", "-o", `jsonpath={.data.config\.yaml}`)
	for i := range n {
		want := fmt.Sprintf("  - hostname: app-%02d.example.com\n    service: http://app-%02[1]d.%s.svc.cluster.local:80\n", i, b.namespace)
		if strings.Count(got, want) != 1 {
			t.Errorf("app-%02d stands %d times", i, strings.Count(got, want))
		}
	}
	head, tail, _ := strings.Cut(text, "  # The rest.\n")
	if !strings.HasPrefix(got, head) || !strings.HasSuffix(got, "  # The rest.\n"+tail) || strings.Count(got, "\n") != strings.Count(text, "\n")+2*n {
		t.Errorf("the rest has changed:\n%s", got)
	}
}

// Two forges of one app: the second waits, or is told who holds the lock.
func TestTwoForgesOfOneApp(t *testing.T) {
	b := newBench(t)
	b.app("shop", wholeApp)
	release, reached := make(chan struct{}), make(chan struct{})
	var once sync.Once
	proxy, err := newAPIProxy(b.kubeconfig, b.apps, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if writes(r) && strings.Contains(r.URL.Path, "/deployments/") {
				once.Do(func() { close(reached) })
				<-release
			}
			next.ServeHTTP(w, r)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	first := b.command(proxy.Kubeconfig, "forge", "shop")
	first.Env = append(first.Env, "CI_JOB_URL=https://ci.example.com/1")
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached

	second := b.command(b.kubeconfig, "forge", "shop", "--lock-timeout", "0")
	out, err := second.CombinedOutput()
	if second.ProcessState.ExitCode() != 5 || !strings.Contains(string(out), "Error: shop is locked by ") || !strings.Contains(string(out), "(norn forge, since ") || !strings.Contains(string(out), "https://ci.example.com/1") {
		t.Errorf("%v:\n%s", err, out)
	}
	waiting := b.command(b.kubeconfig, "forge", "shop")
	said, err := waiting.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := waiting.Start(); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 200)
	n, _ := io.ReadAtLeast(said, head, 120)
	if !strings.Contains(string(head[:n]), "waiting: shop is locked by") {
		t.Errorf("said %q", head[:n])
	}
	close(release)
	rest, _ := io.ReadAll(said)
	if err := waiting.Wait(); err != nil {
		t.Errorf("the one that waits: %v\n%s", err, rest)
	}
	if err := first.Wait(); err != nil {
		t.Errorf("the first: %v", err)
	}
}

// A run whose lock is taken over stops before its next write, and says by whom.
func TestLostLock(t *testing.T) {
	b := newBench(t)
	b.app("shop", wholeApp)
	var stolen atomic.Bool
	var late atomic.Int32
	release := make(chan struct{})
	proxy, err := newAPIProxy(b.kubeconfig, b.apps, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if writes(r) && stolen.Load() && !strings.Contains(r.URL.Path, "/leases") {
				late.Add(1)
			}
			if writes(r) && strings.Contains(r.URL.Path, "/persistentvolumeclaims/shop-data") && !stolen.Load() {
				next.ServeHTTP(httptestDiscard{}, r) // arrived; its answer waits until the lock is another's
				stolen.Store(true)
				b.kubectl("-n", b.namespace, "patch", "lease", "norn-shop", "--type=merge", "-p",
					`{"metadata":{"annotations":{"norn/host":"thief@elsewhere","norn/command":"norn deploy"}},"spec":{"holderIdentity":"elsewhere/1/1"}}`)
				select {
				case <-release:
				case <-r.Context().Done():
				}
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	defer close(release)
	cmd := b.command(proxy.Kubeconfig, "forge", "shop")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 5 || !strings.Contains(string(out), "Error: shop was taken over by thief@elsewhere (norn deploy, since ") {
		t.Errorf("%v:\n%s", err, out)
	}
	if late.Load() != 0 {
		t.Errorf("%d writes after the lock was lost", late.Load())
	}
}

// What is being deleted is waited for, and made anew: to apply it would change what is about to vanish.
func TestForgeWaitsForWhatIsBeingDeleted(t *testing.T) {
	b := newBench(t)
	b.app("shop", "app: shop\nrole: worker\n")
	b.norn("forge", "shop")
	b.kubectl("-n", b.namespace, "patch", "deployment", "shop", "--type=merge", "-p", `{"metadata":{"finalizers":["example.com/slow"]}}`)
	b.kubectl("-n", b.namespace, "delete", "deployment", "shop", "--wait=false")
	cmd := b.command(b.kubeconfig, "forge", "shop")
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 200)
	n, _ := io.ReadAtLeast(said, head, 85)
	if !strings.Contains(string(head[:n]), "waiting: Deployment shop is being deleted") {
		t.Errorf("said %q", head[:n])
	}
	b.kubectl("-n", b.namespace, "patch", "deployment", "shop", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
	rest, _ := io.ReadAll(said)
	if err := cmd.Wait(); err != nil || !strings.Contains(string(rest), "Deployment shop created") {
		t.Errorf("%v: %s", err, rest)
	}
}

// An API server that restarts in the middle of a forge is waited for.
func TestForgeRidesOutARestart(t *testing.T) {
	b := newBench(t)
	b.app("shop", wholeApp)
	var once sync.Once
	proxy, err := newAPIProxy(b.kubeconfig, b.apps, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if writes(r) && strings.Contains(r.URL.Path, "/persistentvolumeclaims/") {
				once.Do(func() { killComponent(t, filepath.Dir(b.kubeconfig), "kube-apiserver") })
			}
			next.ServeHTTP(w, r)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	out, err := b.command(proxy.Kubeconfig, "forge", "shop").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Service shop created") {
		t.Errorf("%v:\n%s", err, out)
	}
	b.norn("forge", "shop")
}
