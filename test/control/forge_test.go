package control

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"norn/test/bed"
)

// A second forge of an app waits for the lock, or fails and names its holder.
func TestTwoForgesOfOneApp(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.WriteApp("shop", wholeApp)
	atOnce(w, []string{"forge", "shop"}, []string{"forge", "shop"}, "(norn forge, since ")
}

// atOnce runs two commands on shop at once. The second waits for the lock of the first, and without the time for that
// it fails and names the holder.
func atOnce(w *bed.Workspace, first, second []string, holder string) {
	t := w.T
	t.Helper()
	release, reached := make(chan struct{}), make(chan struct{})
	var once sync.Once
	hold := func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if bed.Writes(r) && strings.Contains(r.URL.Path, "/deployments/") {
			once.Do(func() { close(reached) })
			<-release
		}
		next.ServeHTTP(rw, r)
	}
	one := w.Command(proxied(w, hold), first...)
	one.Env = append(one.Env, "CI_JOB_URL=https://ci.example.com/1")
	if err := one.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached

	expect(w, 5, append(slices.Clone(second), "--lock-timeout", "0"), "Error: shop is locked by ", holder,
		"https://ci.example.com/1")
	waiting := w.Command(w.Kubeconfig, second...)
	output, err := waiting.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := waiting.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, output, "waiting: shop is locked by")
	close(release)
	rest, _ := io.ReadAll(output)
	if err := waiting.Wait(); err != nil {
		t.Errorf("the one that waited: %v\n%s", err, rest)
	}
	if err := one.Wait(); err != nil {
		t.Errorf("the first: %v", err)
	}
}

// stolenLease changes the holder of a lock.
const stolenLease = `{"metadata":{"annotations":{"norn/host":"thief@elsewhere","norn/command":"norn deploy"}},
	"spec":{"holderIdentity":"elsewhere/1/1"}}`

// If another run takes over a command's lock, the command stops before its next write and names the new holder.
func TestLostLock(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.WriteApp("shop", wholeApp)
	var stolen atomic.Bool
	var late atomic.Int32
	release := make(chan struct{})
	proxy, err := bed.NewAPIProxy(w.Kubeconfig, w.Home, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if bed.Writes(r) && stolen.Load() && !strings.Contains(r.URL.Path, "/leases") {
				late.Add(1)
			}
			if bed.Writes(r) && strings.Contains(r.URL.Path, "/persistentvolumeclaims/shop-data") && !stolen.Load() {
				next.ServeHTTP(bed.Discard{}, r) // the response waits until the other run has the lock
				stolen.Store(true)
				w.Kubectl("patch", "lease", "norn-shop", "--type=merge", "-p", stolenLease)
				select {
				case <-release:
				case <-r.Context().Done():
				}
				return
			}
			next.ServeHTTP(rw, r)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	defer close(release)
	cmd := w.Command(proxy.Kubeconfig, "forge", "shop")
	out, err := cmd.CombinedOutput()
	const want = "Error: shop was taken over by thief@elsewhere (norn deploy, since "
	if cmd.ProcessState.ExitCode() != 5 || !strings.Contains(string(out), want) {
		t.Errorf("%v:\n%s", err, out)
	}
	if late.Load() != 0 {
		t.Errorf("%d writes after the lock was lost", late.Load())
	}
}

// forge waits until a deletion is complete, and then creates the object again. Applying it earlier would change an
// object that is about to disappear.
func TestForgeWaitsForDeletion(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.WriteApp("shop", "app: shop\nrole: worker\n")
	w.Norn("forge", "shop")
	w.Kubectl("patch", "deployment", "shop", "--type=merge", "-p", `{"metadata":{"finalizers":["example.com/slow"]}}`)
	w.Kubectl("delete", "deployment", "shop", "--wait=false")
	cmd := w.Command(w.Kubeconfig, "forge", "shop")
	output, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, output, "waiting: Deployment shop is being deleted")
	w.Kubectl("patch", "deployment", "shop", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
	rest, _ := io.ReadAll(output)
	if err := cmd.Wait(); err != nil || !strings.Contains(string(rest), "Deployment shop created") {
		t.Errorf("%v: %s", err, rest)
	}
}

// forge waits while the API server restarts.
func TestForgeSurvivesRestart(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.OwnControlPlane(t))
	w.WriteApp("shop", wholeApp)
	var once sync.Once
	proxy, err := bed.NewAPIProxy(w.Kubeconfig, w.Home, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if bed.Writes(r) && strings.Contains(r.URL.Path, "/persistentvolumeclaims/") {
				once.Do(func() { w.KillComponent(t, "kube-apiserver") })
			}
			next.ServeHTTP(rw, r)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	out, err := w.Command(proxy.Kubeconfig, "forge", "shop").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Service shop created") {
		t.Errorf("%v:\n%s", err, out)
	}
	w.Norn("forge", "shop")
}

// await reads a command's output until a line contains text.
func await(t testing.TB, output io.Reader, text string) {
	t.Helper()
	line := ""
	for b := make([]byte, 1); !strings.Contains(line, text); { // byte by byte, because the caller reads the rest
		if _, err := output.Read(b); err != nil {
			t.Fatalf("%q is not in the output: %v", text, err)
		}
		if line += string(b); b[0] == '\n' && !strings.Contains(line, text) {
			line = ""
		}
	}
}
