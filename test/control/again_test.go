package control

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"norn/test/bed"
)

const workerWithEnv = workerApp + "env: {MORE: \"1\"}\n"

// A deploy that ends between the change of the objects and that of the image leaves the Deployment paused. The next
// one starts no Pods of the new template with the old image.
func TestDeployAgainAfterHalf(t *testing.T) {
	t.Parallel()
	w := running(t)
	w.WriteApp("shop", workerWithEnv)
	var writes atomic.Int32
	half := proxied(w, func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if bed.Changes(r) && strings.HasSuffix(r.URL.Path, "/deployments/shop") && writes.Add(1) > 1 {
			http.Error(rw, "Unauthorized", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(rw, r)
	})
	args := []string{"deploy", "shop", "--image", image("second")}
	if out, err := w.Command(half, args...).CombinedOutput(); err == nil {
		t.Fatalf("the deploy does not fail:\n%s", out)
	}
	if got := w.Kubectl("get", "deployment", "shop", "-o", "jsonpath={.spec.paused}"); got != "true" {
		t.Fatalf("the Deployment is not paused: %q", got)
	}
	// The controller has the time to start Pods between the two changes.
	slow := proxied(w, func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/pods") {
			time.Sleep(500 * time.Millisecond)
		}
		next.ServeHTTP(rw, r)
	})
	if out, err := w.Command(slow, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	const template = "jsonpath={range .items[*]}{.spec.template.spec.containers[0].image} " +
		"{.spec.template.spec.containers[0].env[*].name}{'\\n'}{end}"
	for line := range strings.Lines(w.Kubectl("get", "replicasets", "-l", "app=shop", "-o", template)) {
		if strings.TrimSpace(line) == image("first")+" MORE" {
			t.Errorf("the old image ran with the new template: %s", line)
		}
	}
}

// proxied returns a kubeconfig for an API server whose requests serve handles.
func proxied(w *bed.Workspace, serve func(http.ResponseWriter, *http.Request, http.Handler)) string {
	w.T.Helper()
	return disturbed(w, bed.Fault{Do: serve})
}

// A failed version is replaced by the one that ran before it, even if that one is older than another.
func TestRestoreOfAnOldTemplate(t *testing.T) {
	t.Parallel()
	w := running(t)
	deploy := []string{"deploy", "shop", "--image", image("first")}
	w.WriteApp("shop", workerWithEnv)
	expect(w, 0, deploy, "rollout done: revision 2")
	w.WriteApp("shop", workerApp)
	expect(w, 0, deploy, "rollout done: revision 3")
	expect(w, 4, []string{"deploy", "shop", "--image", image("broken")}, "restoring revision 3, ",
		"the previous version was restored")
	if got := w.Kubectl("get", "deployment", "shop", "-o", "jsonpath={.spec.template.spec.containers[0].env}"); got != "" {
		t.Errorf("the restore brought back env %s", got)
	}
}

// A deploy that changes nothing finds the Pods failing. It does not replace their version by an older one.
func TestUnchangedVersionStays(t *testing.T) {
	t.Parallel()
	w := running(t)
	deploy := []string{"deploy", "shop", "--image", image("second")}
	expect(w, 0, deploy, "rollout done: revision 2")
	pod := strings.TrimSpace(w.Kubectl("get", "pods", "-l", "app=shop", "-o", "name"))
	w.Kubectl("patch", pod, "--subresource=status", "--type=merge", "-p",
		`{"status":{"conditions":[],"containerStatuses":[{"name":"shop","image":"second","imageID":"","ready":false,`+
			`"restartCount":9,"state":{"waiting":{"reason":"CrashLoopBackOff"}},`+
			`"lastState":{"terminated":{"exitCode":1}}}]}}`)
	expect(w, 4, deploy, "failed (CrashLoop)", "not restored: this version already ran")
	if got := w.Kubectl("get", "deployment", "shop", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got !=
		image("second") {
		t.Errorf("the deploy left image %s", got)
	}
}
