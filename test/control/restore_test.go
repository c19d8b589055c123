package control

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"norn/test/bed"
)

// secretWorker returns a workspace with an app whose first version reads two secrets.
func secretWorker(t *testing.T) *bed.Workspace {
	t.Helper()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	dir := filepath.Join(w.Home, "moody")
	bed.CopyApp(t, "moody", dir)
	w.Env = append(w.Env, "SOPS_AGE_KEY_FILE="+filepath.Join(dir, "test-key.txt"))
	setSecret(w, "TOKEN", "first-canary")
	setSecret(w, "OLD", "old-canary")
	w.WriteApp("moody", readsTwo)
	expect(w, 0, []string{"deploy", "moody", "--image", image("first")}, "1 of 1 Pods available")
	return w
}

func setSecret(w *bed.Workspace, name, value string) {
	w.T.Helper()
	set := w.Command(w.Kubeconfig, "secrets", "set", "moody", name)
	set.Stdin = strings.NewReader(value)
	bed.Run(w.T, set)
}

const (
	readsTwo = "app: moody\nrole: worker\nsecrets: [TOKEN, OLD]\n"
	readsOne = "app: moody\nrole: worker\nreplicas: 3\nsecrets: [TOKEN, ADDED]\n"
)

// secretValue returns a value in the app's Secret, or "".
func secretValue(w *bed.Workspace, key string) string {
	w.T.Helper()
	value, err := base64.StdEncoding.DecodeString(
		w.Kubectl("get", "secret", "moody-secrets", "-o", "jsonpath={.data."+key+"}"))
	if err != nil {
		w.T.Fatal(err)
	}
	return string(value)
}

// nextVersion changes a value, drops a name, adds another, and changes the replicas and the strategy.
func nextVersion(w *bed.Workspace) {
	w.T.Helper()
	setSecret(w, "TOKEN", "second-canary")
	setSecret(w, "ADDED", "added-canary")
	w.WriteApp("moody", readsOne+"volumes: [{name: data, mountPath: /data, size: 1Mi}]\n")
}

// expectWhole checks that the app is as before the failed version.
func expectWhole(t *testing.T, w *bed.Workspace) {
	t.Helper()
	if token, old := secretValue(w, "TOKEN"), secretValue(w, "OLD"); token != "first-canary" || old != "old-canary" {
		t.Errorf("the Secret has TOKEN %q and OLD %q", token, old)
	}
	const fields = "jsonpath={.spec.replicas} {.spec.strategy.type} {.spec.paused} {.spec.template.spec.volumes}"
	if got := strings.TrimSpace(w.Kubectl("get", "deployment", "moody", "-o", fields)); got != "1 RollingUpdate" {
		t.Errorf("the Deployment is %q", got)
	}
	if left := w.Kubectl("get", "secrets", "-o", "name"); strings.Contains(left, "previous") {
		t.Errorf("left over: %s", left)
	}
}

// A restore brings back everything that the deploy has changed for the Pods, and the same deploy is then unchanged.
func TestRestoreIsWhole(t *testing.T) {
	t.Parallel()
	w := secretWorker(t)
	nextVersion(w)
	out := expect(w, 4, []string{"deploy", "moody", "--image", image("broken")},
		"Secret moody-secrets has the previous TOKEN again",
		"Deployment moody has the previous replicas 1 and strategy RollingUpdate again",
		"PersistentVolumeClaim moody-data (created) stays",
		"the previous version was restored")
	if strings.Contains(out, "canary") {
		t.Errorf("the output has a value:\n%s", out)
	}
	expectWhole(t, w)
	setSecret(w, "TOKEN", "first-canary")
	w.WriteApp("moody", readsTwo)
	expect(w, 0, []string{"deploy", "moody", "--image", image("first")}, "rollout unchanged")
}

// The previous values are back in the Secret before their copy is deleted, so a Role without that permission, or a
// copy that somebody else has replaced, does not keep the failed version in place.
func TestRestoreWithoutCleanup(t *testing.T) {
	t.Parallel()
	replaceCopy := func(w *bed.Workspace) {
		const name = "moody-secrets-previous"
		secrets := "/api/v1/namespaces/" + w.Namespace + "/secrets"
		w.Change(w.T, http.MethodDelete, secrets+"/"+name, nil)
		w.Change(w.T, http.MethodPost, secrets, map[string]any{"metadata": map[string]string{"name": name}})
	}
	for _, c := range []struct {
		name  string
		fault bed.Fault
		do    func(w *bed.Workspace) // by others, when the version has failed
		token string
		text  string
	}{
		{
			"denied",
			bed.Fault{Method: http.MethodDelete, Path: "/secrets/", Do: bed.Fail(http.StatusForbidden, "Forbidden", "")},
			nil, "first-canary", "the previous values stay in Secret moody-secrets-previous: ",
		},
		{
			"replaced", atLog, replaceCopy, "second-canary",
			"norn does not read the previous values: Secret moody-secrets-previous in namespace ",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := secretWorker(t)
			setSecret(w, "TOKEN", "second-canary")
			if c.do != nil {
				c.fault.Do = func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
					c.do(w)
					next.ServeHTTP(rw, r)
				}
			}
			out, code := bounded(w, disturbed(w, c.fault), "deploy", "moody", "--image", image("broken"))
			if code != 4 || !strings.Contains(out, isRestored) || !strings.Contains(out, "warning: "+c.text) {
				t.Errorf("exit code %d, want 4, %q and %q:\n%s", code, isRestored, c.text, out)
			}
			if token := secretValue(w, "TOKEN"); token != c.token {
				t.Errorf("TOKEN is %q", token)
			}
		})
	}
}

// A version that somebody else sets before the restore keeps the values that it started with.
func TestNoRestoreOfSecretAlone(t *testing.T) {
	t.Parallel()
	w := secretWorker(t)
	setSecret(w, "TOKEN", "second-canary")
	var failed, set atomic.Bool
	changing := proxied(w, func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		failed.Store(failed.Load() || strings.HasSuffix(r.URL.Path, "/log"))
		if failed.Load() && strings.HasSuffix(r.URL.Path, "/replicasets") && !set.Swap(true) {
			w.Kubectl("set", "image", "deployment/moody", "moody="+image("other"))
		}
		next.ServeHTTP(rw, r)
	})
	out, code := bounded(w, changing, "deploy", "moody", "--image", image("broken"))
	if code != 4 || !strings.Contains(out, left) || strings.Contains(out, "the previous TOKEN again") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if token := secretValue(w, "TOKEN"); token != "second-canary" {
		t.Errorf("TOKEN is %q", token)
	}
}

// A version that somebody else sets before norn changes the Deployment stays, with the values that its Pods read.
func TestChangedBeforeRollout(t *testing.T) {
	t.Parallel()
	w := secretWorker(t)
	nextVersion(w)
	atSecret := bed.Fault{Method: http.MethodPatch, Path: "/secrets/moody-secrets[?]", Count: 1}
	atSecret.Do = func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		w.Kubectl("set", "image", "deployment/moody", "moody="+image("other"))
		w.Kubectl("rollout", "status", "deployment/moody", "--timeout=60s")
		next.ServeHTTP(rw, r)
	}
	out, code := bounded(w, disturbed(w, atSecret), "deploy", "moody", "--image", image("second"))
	if code != 5 || !strings.Contains(out, "kubectl-set changed the Pod template of Deployment moody at ") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	expectWhole(t, w)
	if got := w.Kubectl("get", "deployment", "moody", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got !=
		image("other") {
		t.Errorf("image %s runs", got)
	}
}

// A norn that is killed during the rollout leaves the previous values in the cluster. The restore of the next deploy
// finds them, and so does a rollback. A teardown removes them.
func TestRestoreAfterKill(t *testing.T) {
	t.Parallel()
	const putBack = "Secret moody-secrets has the previous TOKEN again"
	for _, next := range []struct {
		name string
		code int
		args []string
		text string
	}{
		{"deploy", 4, []string{"deploy", "moody", "--image", image("broken-2")}, putBack},
		{"rollback", 0, []string{"rollback", "moody", "--to", "1"}, putBack},
		{"teardown", 0, []string{"teardown", "moody", "--yes"}, "moody-secrets-previous"},
	} {
		t.Run(next.name, func(t *testing.T) {
			t.Parallel()
			w := secretWorker(t)
			setSecret(w, "TOKEN", "second-canary")
			killed := false
			for n := int32(1); !killed || secretValue(w, "TOKEN") == "first-canary"; n++ {
				if killed = w.KillAt(n, true, "deploy", "moody", "--image", image("broken")); !killed {
					t.Fatal("the deploy ended before it changed the Secret")
				}
			}
			expect(w, next.code, next.args, next.text)
			if next.name != "teardown" {
				expectWhole(t, w)
			} else if left := w.Kubectl("get", "secrets", "-o", "name"); left != "" {
				t.Errorf("left over: %s", left)
			}
		})
	}
}

// A successful deploy removes the previous values.
func TestPreviousValuesGo(t *testing.T) {
	t.Parallel()
	w := secretWorker(t)
	nextVersion(w)
	expect(w, 0, []string{"deploy", "moody", "--image", image("second")}, "removed OLD from Secret moody-secrets")
	if left := w.Kubectl("get", "secrets", "-o", "name"); strings.Contains(left, "previous") {
		t.Errorf("left over: %s", left)
	}
	if got := secretValue(w, "TOKEN"); got != "second-canary" {
		t.Errorf("TOKEN is %q", got)
	}
}

// A version whose Pods read a secret that is gone cannot start. rollback says so and changes nothing.
func TestRollbackWithoutSecret(t *testing.T) {
	t.Parallel()
	w := secretWorker(t)
	nextVersion(w)
	expect(w, 0, []string{"deploy", "moody", "--image", image("second")})
	for _, args := range [][]string{{"rollback", "moody"}, {"rollback", "moody", "--to", "1", "--yes"}} {
		expect(w, 2, args, "cannot roll back to revision 1, ", "its Pods read OLD, which Secret moody-secrets no longer has",
			"Hint: ")
	}
	if got := w.Kubectl("get", "deployment", "moody", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got !=
		image("second") {
		t.Errorf("the rollback left image %s", got)
	}
}

// Keys that Pods read stay if no Pod of the new version ran, and while a workload of another role exists.
func TestKeptWithoutReplicas(t *testing.T) {
	t.Parallel()
	w := secretWorker(t)
	w.WriteApp("moody", "app: moody\nrole: worker\nreplicas: 0\nsecrets: [TOKEN]\n")
	expect(w, 0, []string{"deploy", "moody", "--image", image("second")}, "OLD stays until the new Pods run")
	if got := secretValue(w, "OLD"); got != "old-canary" {
		t.Errorf("OLD is %q", got)
	}
	expect(w, 0, []string{"rollback", "moody", "--to", "1"})
}

// If the version cannot be changed after the workload and the Secret, all three are as before.
func TestUndo(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"image", "workload", "mark"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			w := secretWorker(t)
			nextVersion(w)
			var writes atomic.Int32
			refusing := proxied(w, func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
				change := r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/deployments/moody") &&
					!r.URL.Query().Has("dryRun")
				manager := r.URL.Query().Get("fieldManager")
				refused := fault == "workload" && manager == "norn" || fault == "image" && manager == "norn-deploy"
				if fault == "mark" && manager == "norn" {
					body, _ := io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(body))
					refused = bytes.Contains(body, []byte("norn/uid"))
				}
				if change && refused && writes.Add(1) == 1 {
					http.Error(rw, "Unauthorized", http.StatusUnauthorized)
					return
				}
				next.ServeHTTP(rw, r)
			})
			if fault == "mark" {
				w.Kubectl("annotate", "deployment", "moody", "norn/uid-")
			}
			before := w.Kubectl("get", "replicasets", "-o", "name")
			out, err := w.Command(refusing, "deploy", "moody", "--image", image("second")).CombinedOutput()
			if err == nil || !strings.Contains(string(out), "Secret moody-secrets has the previous TOKEN again") {
				t.Errorf("%v\n%s", err, out)
			}
			expectWhole(t, w)
			if after := w.Kubectl("get", "replicasets", "-o", "name"); after != before {
				t.Errorf("Pods were replaced: %s", after)
			}
		})
	}
}
