package control

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"norn/test/bed"
)

const workerApp = "app: shop\nrole: worker\n"

// image returns a reference to an image. No node pulls it.
func image(name string) string {
	return fmt.Sprintf("example.com/%s@sha256:%064x", name, len(name))
}

// expect runs norn, and checks its exit code and that its output contains each text.
func expect(w *bed.Workspace, code int, args []string, texts ...string) string {
	w.T.Helper()
	cmd := w.Command(w.Kubeconfig, args...)
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		w.T.Fatalf("norn %s: exit code %d, want %d:\n%s", strings.Join(args, " "), got, code, out)
	}
	for _, text := range texts {
		if !strings.Contains(string(out), text) {
			w.T.Fatalf("norn %s: %q is not in the output:\n%s", strings.Join(args, " "), text, out)
		}
	}
	return string(out)
}

// running returns a workspace with an app whose first version runs.
func running(t *testing.T) *bed.Workspace {
	t.Helper()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	w.WriteApp("shop", workerApp)
	w.Norn("forge", "shop")
	expect(w, 0, []string{"deploy", "shop", "--image", image("first")}, "1 of 1 Pods available")
	return w
}

// A version of which no Pod ran is not verified, and the restore goes to the last one that ran.
func TestNeverRan(t *testing.T) {
	t.Parallel()
	w := running(t)
	w.Kubectl("scale", "deployment", "shop", "--replicas=0")
	expect(w, 0, []string{"deploy", "shop", "--image", image("broken-1")}, "scaled to 0, so no Pod ran")
	expect(w, 0, []string{"restart", "shop"}, "scaled to 0, so no Pod ran")
	expect(w, 0, []string{"deploy", "shop", "--image", image("broken-1"), "--force"}, "scaled to 0, so no Pod ran")
	history := expect(w, 0, []string{"history", "shop"})
	if got := strings.Count(history, "verified"); got != 1 {
		t.Errorf("%d revisions are verified, want the first:\n%s", got, history)
	}
	w.Kubectl("scale", "deployment", "shop", "--replicas=1")
	expect(w, 4, []string{"deploy", "shop", "--image", image("broken-2")}, "restoring revision 1, example.com/first@",
		"the previous version was restored")
}

// The failed Pods of other days count for nothing, neither for a deploy nor for the restore.
func TestLostPodsOfAnotherDay(t *testing.T) {
	t.Parallel()
	w := running(t)
	for range 2 {
		pod := w.Kubectl("get", "pods", "-l", "app=shop", "-o", "name", "--field-selector=status.phase=Running")
		w.Kubectl("patch", strings.TrimSpace(pod), "--subresource=status", "--type=merge", "-p",
			`{"status":{"phase":"Failed","reason":"Evicted","conditions":[]}}`)
		w.Kubectl("rollout", "status", "deployment/shop")
	}
	expect(w, 0, []string{"deploy", "shop", "--image", image("first")}, "rollout unchanged", "1 of 1 Pods available")
	expect(w, 4, []string{"deploy", "shop", "--image", image("broken")}, "the previous version was restored")
	expect(w, 0, []string{"deploy", "shop", "--image", image("second")}, "1 of 1 Pods available")
	expect(w, 0, []string{"rollback", "shop"}, "1 of 1 Pods available")
}

// A version whose Pods are all available stays, even if an old Pod never ends.
func TestOldPodNeverEnds(t *testing.T) {
	t.Parallel()
	w := running(t)
	pod := strings.TrimSpace(w.Kubectl("get", "pods", "-l", "app=shop", "-o", "name"))
	w.Kubectl("patch", pod, "--type=merge", "-p", `{"metadata":{"finalizers":["example.com/dead-node"]}}`)
	t.Cleanup(func() { w.Kubectl("patch", pod, "--type=merge", "-p", `{"metadata":{"finalizers":null}}`) })
	expect(w, 0, []string{"deploy", "shop", "--image", image("second"), "--timeout", "20s"},
		"rollout done: revision 2, 1 of 1 Pods available")
}

// A version that is up is done, even if norn cannot mark it.
func TestMarkFails(t *testing.T) {
	t.Parallel()
	w := running(t)
	proxy, err := bed.NewAPIProxy(w.Kubeconfig, w.Home, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if bed.Writes(r) && strings.Contains(r.URL.Path, "/replicasets/") {
				http.Error(rw, "Unauthorized", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(rw, r)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	out, err := w.Command(proxy.Kubeconfig, "deploy", "shop", "--image", image("second")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "the revision is not marked as verified: mark ReplicaSet shop-") {
		t.Errorf("%v:\n%s", err, out)
	}
}

// An image that somebody else set is not the commit that norn shipped before.
func TestForeignImage(t *testing.T) {
	t.Parallel()
	const commit = "0123456789abcdef0123456789abcdef01234567"
	w := running(t)
	w.Kubectl("annotate", "deployment", "shop", "--overwrite", "norn/commit="+commit)
	w.Kubectl("annotate", "replicaset", "-l", "app=shop", "--overwrite", "norn/commit="+commit)
	expect(w, 0, []string{"history", "shop"}, "0123456789ab  verified  current")
	w.Kubectl("set", "image", "deployment/shop", "shop=example.com/other:2")
	w.Kubectl("rollout", "status", "deployment/shop")
	if out := expect(w, 0, []string{"status", "shop"}, "other:2"); strings.Count(out, commit[:12]) != 1 {
		t.Errorf("the foreign image has the commit:\n%s", out)
	}
	history := expect(w, 0, []string{"history", "shop", "-o", "json"})
	if !regexp.MustCompile(`"revision":2,"image":"example.com/other:2","created":"[^"]*","verified":false`).MatchString(
		history) {
		t.Errorf("the foreign image has a commit, a user or a mark:\n%s", history)
	}
	expect(w, 0, []string{"rollback", "shop", "--to", commit}, "choose done: revision 1, commit 0123456789ab")
	if got := w.Kubectl("get", "deployment", "shop", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got !=
		image("first") {
		t.Errorf("the rollback left image %s", got)
	}
	if history := expect(w, 0, []string{"history", "shop"}); strings.Count(history, "verified") != 1 {
		t.Errorf("the foreign image is verified:\n%s", history)
	}
}
