package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

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
	expect(w, 0, []string{"deploy", "shop", "--image", image("first")}, "1 of 1 Pods available")
	return w
}

// A version of which no Pod ran is not verified, and the restore goes to the last one that ran.
func TestNeverRan(t *testing.T) {
	t.Parallel()
	w := running(t)
	w.Kubectl("scale", "deployment", "shop", "--replicas=0")
	expect(w, 0, []string{"deploy", "shop", "--version-only", "--image", image("broken-1")}, "scaled to 0, so no Pod ran")
	expect(w, 0, []string{"restart", "shop"}, "scaled to 0, so no Pod ran")
	expect(w, 0, []string{"deploy", "shop", "--image", image("broken-1"), "--force", "--version-only"},
		"scaled to 0, so no Pod ran")
	history := expect(w, 0, []string{"history", "shop"})
	if got := strings.Count(history, "verified"); got != 1 {
		t.Errorf("%d revisions are verified, want the first:\n%s", got, history)
	}
	w.Kubectl("scale", "deployment", "shop", "--replicas=1")
	expect(w, 4, []string{"deploy", "shop", "--image", image("broken-2")}, "restoring revision 1, example.com/first@",
		"the previous version was restored")
	expect(w, 2, []string{"rollback", "shop", "--to", "2"}, "(it had 0 replicas, so it may never have run) needs confirm")
}

// Pods that failed before the change do not count, neither for the deploy nor for the restore.
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

// A deploy whose Pods are available succeeds, even if norn cannot mark the revision.
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

// A rollback to a revision that failed needs a confirmation. If it fails again, the version that ran before is
// restored, even if norn has not verified it.
func TestRollbackToFailed(t *testing.T) {
	t.Parallel()
	w := running(t)
	expect(w, 4, []string{"deploy", "shop", "--image", image("broken")}, "the previous version was restored")
	expect(w, 2, []string{"rollback", "shop", "--to", "2"},
		"rollback to revision 2, example.com/broken@", "(it failed when it was deployed: CannotStart) needs confirmation",
		"Hint: pass --yes")
	expectQuestion(w, "(it failed when it was deployed: CannotStart)? [y/N]", "rollback", "shop", "--to", "2")
	expect(w, 4, []string{"rollback", "shop", "--to", "2", "-y"}, "it failed when it was deployed: CannotStart",
		"restoring revision 3, example.com/first@", "the previous version was restored (as revision 5)")
	expectAges(w)
	w.Kubectl("set", "image", "deployment/shop", "shop=example.com/other:2")
	w.Kubectl("rollout", "status", "deployment/shop")
	expect(w, 4, []string{"rollback", "shop", "--to", "4", "--yes"}, "restoring revision 6, example.com/other:2")
	expect(w, 0, []string{"deploy", "shop", "--image", image("second")})
	expect(w, 0, []string{"rollback", "shop"}, "choose done: revision 8, example.com/other:2")
	expect(w, 0, []string{"rollback", "shop"}, "choose done: revision 9, example.com/second@",
		"ran before the last rollback or restore; to go further back, pass --to")
}

// expectQuestion runs norn on a terminal and answers no. The command must ask, and change nothing.
func expectQuestion(w *bed.Workspace, question string, args ...string) {
	w.T.Helper()
	cmd := w.Command(w.Kubeconfig, args...)
	cmd.Env = append(cmd.Env, "TERM=xterm")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 300})
	if err != nil {
		w.T.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	await(w.T, terminal, question)
	if _, err := terminal.WriteString("n\n"); err != nil {
		w.T.Fatal(err)
	}
	out, _ := io.ReadAll(terminal)
	if err := cmd.Wait(); err == nil || !strings.Contains(string(out), "canceled; nothing was changed") {
		w.T.Errorf("%v:\n%s", err, out)
	}
}

// expectAges checks that history dates each revision by its last rollout, and the current one as status does. The
// Deployment's controller renews no time for a rollout that is complete at once, such as that of a restore.
func expectAges(w *bed.Workspace) {
	w.T.Helper()
	history := json.NewDecoder(strings.NewReader(expect(w, 0, []string{"history", "shop", "-o", "json"})))
	var newer struct{ Created time.Time }
	for {
		var r struct {
			Revision int
			Created  time.Time
			Current  bool
		}
		if err := history.Decode(&r); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			w.T.Fatal(err)
		}
		if r.Current {
			since := r.Created.Format(`"since":"` + time.RFC3339)
			expect(w, 0, []string{"status", "shop", "-o", "json"}, since)
			continue
		}
		if !newer.Created.IsZero() && r.Created.After(newer.Created) {
			w.T.Errorf("revision %d was rolled out at %s, after the next one at %s", r.Revision, r.Created, newer.Created)
		}
		newer.Created = r.Created
	}
}

// After a rollback, or a refused one, norn can still diff, forge and deploy an adopted app.
func TestRollbackBeforeAdoption(t *testing.T) {
	t.Parallel()
	for container, code := range map[string]int{"notes": 2, "shop": 0} {
		t.Run(container, func(t *testing.T) {
			t.Parallel()
			w := bed.New(t, bed.ControlPlane(t))
			w.PretendToRun()
			w.Kubectl("create", "deployment", "shop", "--image="+image(container))
			w.Kubectl("rollout", "status", "deployment/shop")
			w.WriteApp("shop", "app: shop\nrole: webserver\nport: 8080\nhealthcheck: /healthz\nenv: {LOG: debug}\n")
			w.Norn("forge", "shop", "--adopt")
			w.Norn("deploy", "shop", "--image", image("first"))
			out := expect(w, code, []string{"rollback", "shop", "--to", "1"})
			refusal := "it is from before norn managed the app, and has no container shop\n" +
				"Hint: ship its image with norn deploy shop --image " + image("notes")
			if code == 2 && !strings.Contains(out, refusal) {
				t.Errorf("%q is not in the output:\n%s", refusal, out)
			}
			expect(w, 0, []string{"diff", "shop"})
			if code == 0 { // and back to what forge and deploy made
				w.Norn("rollback", "shop")
				expectNoDrift(w)
			}
			w.Norn("forge", "shop")
			expectNoDrift(w)
			expect(w, 0, []string{"deploy", "shop", "--image", image("second")}, "1 of 1 Pods available")
		})
	}
}

// expectNoDrift checks that neither diff nor status finds a difference.
func expectNoDrift(w *bed.Workspace) {
	w.T.Helper()
	if out := expect(w, 0, []string{"diff", "shop"}); !strings.Contains(out, "no changes") {
		w.T.Errorf("diff finds a difference:\n%s", out)
	}
	if out := expect(w, 0, []string{"status"}); strings.Contains(out, "differs") {
		w.T.Errorf("status finds a difference:\n%s", out)
	}
}

// Failed deploys do not push verified versions out of the history.
func TestFailuresKeepTheWayBack(t *testing.T) {
	t.Parallel()
	w := running(t)
	w.WriteApp("shop", workerApp+"artifacts: {retain: 1}\n")
	w.Norn("forge", "shop")
	expect(w, 0, []string{"deploy", "shop", "--image", image("second")})
	for i := range 3 {
		expect(w, 4, []string{"deploy", "shop", "--image", image(fmt.Sprint("broken", i))})
	}
	history := expect(w, 0, []string{"history", "shop"})
	if got := strings.Count(history, "failed: "); got != 1 || strings.Count(history, "verified") != 2 {
		t.Errorf("want the current version, the one before and one failure:\n%s", history)
	}
	expect(w, 0, []string{"rollback", "shop"}, "choose done: revision 1, example.com/first@")
}

// status reports what other tools did to an app: a stuck rollout, and a pause.
func TestStatusOfOthersChanges(t *testing.T) {
	t.Parallel()
	w := running(t)
	w.Kubectl("set", "image", "deployment/shop", "shop="+image("broken"))
	bed.Eventually(t, time.Minute, "status shows why the rollout is stuck", func() bool {
		out, _ := w.Command(w.Kubeconfig, "status", "shop").CombinedOutput()
		return strings.Contains(string(out), "CannotStart: container shop cannot start: the image is broken")
	})
	expect(w, 0, []string{"status"}, "shop: a rollout is not complete: Pods of the previous version still run")
	w.Kubectl("rollout", "undo", "deployment/shop")
	w.Kubectl("rollout", "status", "deployment/shop")
	w.Kubectl("rollout", "pause", "deployment/shop")
	expect(w, 0, []string{"status"}, "shop: paused, so no change replaces its Pods")
	expect(w, 0, []string{"status", "shop"}, "paused, so no change replaces its Pods")
	expect(w, 2, []string{"restart", "shop"}, "shop is paused, so its Pods cannot be replaced",
		"Hint: resume it with kubectl rollout resume deployment/shop, or with norn deploy")
}
