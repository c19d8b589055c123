package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"norn/test/bed"
)

const baseApp = `app: base
role: webserver
port: 8080
hosts: {internal: base}
volumes: [{name: data, mountPath: /data, size: 1Mi}]
`

// newBase returns a workspace with an app that has a Service, a Deployment with a Pod, and a claim.
func newBase(t *testing.T) *bed.Workspace {
	t.Helper()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	w.WriteApp("base", baseApp)
	w.Norn("deploy", "base", "--image", image("first"))
	return w
}

// clone reads an object, and returns a function that creates a copy under a name. edit changes the copy. If edit keeps
// the managers of the fields, the copy has them too, as those of backup tools do.
func clone(w *bed.Workspace, kind, name string, edit func(meta, spec map[string]any)) (create func(name string)) {
	w.T.Helper()
	var object map[string]any
	text := w.Kubectl("get", kind, name, "-o", "json", "--show-managed-fields")
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		w.T.Fatal(err)
	}
	meta := object["metadata"].(map[string]any)
	spec, _ := object["spec"].(map[string]any) // a Secret has none
	for _, field := range []string{"uid", "resourceVersion", "creationTimestamp"} {
		delete(meta, field)
	}
	delete(object, "status")
	delete(spec, "clusterIP")
	delete(spec, "clusterIPs")
	edit(meta, spec)
	marshal := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			w.T.Fatal(err)
		}
		return string(data)
	}
	return func(name string) {
		w.T.Helper()
		meta["name"] = name
		create := w.KubectlCommand("create", "-f", "-")
		create.Stdin = strings.NewReader(marshal(object))
		bed.Run(w.T, create)
		if managers := meta["managedFields"]; managers != nil {
			patch := map[string]any{"metadata": map[string]any{"managedFields": managers}}
			w.Kubectl("patch", kind, name, "--type=merge", "-p", marshal(patch))
		}
	}
}

// withoutManagers makes a copy as kubectl get and kubectl create do.
func withoutManagers(meta, _ map[string]any) { delete(meta, "managedFields") }

// withManagers makes a copy as backup tools do.
func withManagers(_, _ map[string]any) {}

// ofEarlierNorn makes a copy as backup tools do, of an object that has no mark.
func ofEarlierNorn(meta, _ map[string]any) {
	delete(meta, "annotations")
	for _, entry := range meta["managedFields"].([]any) {
		entry.(map[string]any)["time"] = "2020-01-01T00:00:00Z"
	}
}

// Objects with norn's labels that norn did not make survive every command, and a dry run does not list them.
func TestCopiesSurvive(t *testing.T) {
	t.Parallel()
	w := newBase(t)
	w.Kubectl("expose", "deployment", "base", "--name", "base-public", "--type", "LoadBalancer", "--port", "80")
	for name, change := range map[string]func(meta, spec map[string]any){
		"plain": withoutManagers, "backup": withManagers, "old": ofEarlierNorn,
	} {
		clone(w, "deployment", "base", change)("base-" + name)
		clone(w, "pvc", "base-data", change)("base-data-" + name)
		clone(w, "service", "base", change)("base-" + name)
	}
	copies := func() []string {
		names := strings.Fields(w.Kubectl("get", "services,deployments,pvc", "-o", "name"))
		return slices.DeleteFunc(names, func(name string) bool {
			return !strings.Contains(name, "base-") || strings.HasSuffix(name, "/base-data")
		})
	}
	want := copies()
	if len(want) != 10 {
		t.Fatalf("the copies are %q", want)
	}

	const left = "has norn's labels, but norn did not make it: left alone"
	out := expect(w, 0, []string{"forge", "base"},
		"Service base-public skipped: "+left, "Service base-plain skipped: "+left)
	if strings.Contains(out, "deleted") {
		t.Errorf("forge deletes:\n%s", out)
	}
	expect(w, 0, []string{"deploy", "base", "--image", image("second")}, "Service base-public skipped: "+left)
	if out := expect(w, 0, []string{"status"}); strings.Count("\n"+out, "\nbase ") != 1 {
		t.Errorf("status shows copies:\n%s", out)
	}
	dry := expect(w, 0, []string{"teardown", "base", "--delete-data", "--dry-run"},
		"Service base-public "+left, "Deployment base-backup "+left, "PersistentVolumeClaim base-data-old "+left,
		"Service planned: would delete base\n", "Workload planned: would delete Deployment base, with its Pods\n",
		"PersistentVolumeClaim planned: would delete base-data, with the data\n")
	if n := strings.Count(dry, left); n != len(want) {
		t.Errorf("%d objects are left alone, want %d:\n%s", n, len(want), dry)
	}
	expect(w, 0, []string{"teardown", "base", "--delete-data", "--yes"}, "Service base-public "+left)
	if got := copies(); !slices.Equal(got, want) {
		t.Errorf("left of the copies: %q, want %q", got, want)
	}
	all := w.Kubectl("get", "service,deployment,pvc", "-o", "name")
	if got := strings.Fields(all); len(got) != len(want) {
		t.Errorf("left over: %q", got)
	}
}

// An object of a needed name that norn did not make is a conflict, and forge --adopt takes it over.
func TestCopyInTheWay(t *testing.T) {
	t.Parallel()
	w := newBase(t)
	clone(w, "service", "base", withManagers)("store")
	w.WriteApp("base", strings.Replace(baseApp, "internal: base", "internal: store", 1))
	expect(w, 5, []string{"forge", "base"}, "Service store in namespace",
		"it has norn's labels, but norn did not make it", "Hint: run norn forge --adopt")
	expect(w, 0, []string{"forge", "base", "--adopt"}, "Service store ", "Service base deleted")
	expect(w, 0, []string{"forge", "base"}, "Service store unchanged")
	expect(w, 0, []string{"teardown", "base", "--yes"}, "Service deleted: store")
}

// After a backup was restored, forge --adopt takes over the whole app, with its claims and its Secret.
func TestAdoptRestoredApp(t *testing.T) {
	t.Parallel()
	w := secretWorker(t)
	w.WriteApp("moody", readsTwo+"volumes: [{name: data, mountPath: /data, size: 1Mi}]\n")
	expect(w, 0, []string{"deploy", "moody", "--image", image("first")}, "1 of 1 Pods available")
	all := []string{"deployment/moody", "pvc/moody-data", "secret/moody-secrets"}
	for _, object := range all {
		kind, name, _ := strings.Cut(object, "/")
		backup := clone(w, kind, name, func(meta, spec map[string]any) {
			if kind == "pvc" {
				spec["storageClassName"] = "slow"
			}
		})
		w.Kubectl("delete", kind, name)
		backup(name)
	}
	expect(w, 5, []string{"deploy", "moody", "--image", image("first")}, "but norn did not make it")
	expect(w, 0, []string{"diff", "moody", "--adopt"})
	expect(w, 0, []string{"forge", "moody", "--adopt"}, "Secret moody-secrets configured: adopted")
	for _, object := range all {
		expectMark(w, object)
	}
	expect(w, 0, []string{"deploy", "moody", "--image", image("first")}, "1 of 1 Pods available")
	expect(w, 0, []string{"deploy", "moody", "--image", image("first")}, "rollout unchanged")
	expect(w, 0, []string{"teardown", "moody", "--yes", "--delete-data"}, "Secret deleted: moody-secrets")
}

// An object survives if somebody replaces it, or removes norn's labels, between norn's read and its deletion.
func TestReplacedBeforeDeletion(t *testing.T) {
	t.Parallel()
	replace := func(w *bed.Workspace) {
		w.Kubectl("delete", "service", "base")
		w.Kubectl("create", "service", "clusterip", "base", "--tcp=80")
	}
	keep := func(w *bed.Workspace) { w.Kubectl("label", "service", "base", "managed-by-") }
	for name, c := range map[string]struct {
		meanwhile func(*bed.Workspace)
		args      []string
	}{
		"forge, replaced":    {replace, []string{"forge", "base"}},
		"forge, kept":        {keep, []string{"forge", "base"}},
		"teardown, replaced": {replace, []string{"teardown", "base", "--yes"}},
		"teardown, kept":     {keep, []string{"teardown", "base", "--yes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := bed.New(t, bed.ControlPlane(t))
			w.WriteApp("base", baseApp)
			w.Norn("forge", "base")
			w.WriteApp("base", strings.Replace(baseApp, "internal: base", "internal: store", 1))
			api := disturbed(w, bed.Fault{Method: http.MethodDelete, Path: "/services/base", Count: 1,
				Do: func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
					c.meanwhile(w)
					next.ServeHTTP(rw, r)
				}})
			out, code := bounded(w, api, c.args...)
			if code != 0 || !strings.Contains(out, "norn no longer manages it: left alone") {
				t.Errorf("exit code %d:\n%s", code, out)
			}
			w.Kubectl("get", "service", "base")
		})
	}
}

// A change of the status between norn's read and the deletion does not prevent the deletion.
func TestChangedBeforeDeletion(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.WriteApp("base", baseApp)
	w.Norn("forge", "base")
	changes := 0
	api := disturbed(w, bed.Fault{Method: http.MethodDelete, Path: "/deployments/base", Count: 3,
		Do: func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			changes++
			w.Kubectl("annotate", "deployment", "base", "--overwrite", fmt.Sprint("change=", changes))
			next.ServeHTTP(rw, r)
		}})
	out, code := bounded(w, api, "teardown", "base", "--yes")
	if code != 0 || changes != 3 || !strings.Contains(out, "Workload deleted") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

const markPath = `.metadata.annotations.norn/uid`

// expectMark checks that an object has norn's mark.
func expectMark(w *bed.Workspace, object string) {
	w.T.Helper()
	both := w.Kubectl("get", object, "-o", "jsonpath={.metadata.uid} {"+markPath+"}")
	if uid, mark, _ := strings.Cut(both, " "); uid != mark {
		w.T.Errorf("%s has the UID %s and the mark %q", object, uid, mark)
	}
}

// unmark removes norn's marks from an app's objects, so that they are as those of an earlier norn.
func unmark(w *bed.Workspace) {
	w.T.Helper()
	w.Kubectl("annotate", "deployments,services,pvc", "--all", "norn/uid-", "norn/repository-")
}

// The objects of an earlier norn are norn's for every command. They are marked without a change to the Pods.
func TestObjectsOfEarlierNorn(t *testing.T) {
	t.Parallel()
	w := newBase(t)
	expect(w, 0, []string{"deploy", "base", "--image", image("second")}, "revision 2, 1 of 1 Pods available")
	unmark(w)
	expect(w, 0, []string{"diff", "base", "--exit-code"}, "no changes")
	unmark(w)
	expect(w, 0, []string{"status", "base"}, "second")
	expect(w, 0, []string{"history", "base"}, "second")
	out := expect(w, 0, []string{"forge", "base"}, "Service base unchanged", "Deployment base unchanged")
	if strings.Contains(out, "configured") {
		t.Errorf("forge changes something:\n%s", out)
	}
	for _, object := range []string{"deployment/base", "service/base", "pvc/base-data"} {
		expectMark(w, object)
	}
	expect(w, 0, []string{"deploy", "base", "--image", image("second")}, "rollout unchanged")
	unmark(w)
	expect(w, 0, []string{"restart", "base"}, "revision 3, 1 of 1 Pods available")
	expect(w, 0, []string{"rollback", "base"}, "1 of 1 Pods available")
	unmark(w)
	expect(w, 0, []string{"deploy", "base", "--image", image("third"), "--version-only"}, "1 of 1 Pods available")
	unmark(w)
	expect(w, 0, []string{"teardown", "base", "--delete-data", "--yes"},
		"Service deleted: base", "Workload deleted: Deployment base", "PersistentVolumeClaim deleted: base-data")
}

// Marks that somebody else writes do not change whose the app is. kubectl rollout undo brings back the annotations of
// an earlier ReplicaSet.
func TestForeignMarks(t *testing.T) {
	t.Parallel()
	undo := func(marks ...string) [][]string {
		return [][]string{
			append([]string{"annotate", "replicasets", "--all", "--overwrite"}, marks...),
			{"rollout", "undo", "deployment/base"},
		}
	}
	const named = "norn/repository=example.com/team/base"
	for name, commands := range map[string][][]string{
		"from before the marks":             undo("norn/uid-", "norn/repository-"),
		"from before a backup was restored": undo("norn/uid=earlier"),
		"from before an adoption":           undo("norn/repository=example.com/team/theirs"),
		"the same repository again": {
			{"annotate", "deployment", "base", "norn/repository-"}, {"annotate", "deployment", "base", named},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newBase(t)
			repository(w, "base", "https://example.com/team/base.git")
			w.WriteApp("theirs", baseApp)
			repository(w, "theirs", "https://example.com/team/theirs.git")
			expect(w, 0, []string{"deploy", "base", "--image", image("second")}, "revision 2, 1 of 1 Pods available")
			for _, args := range commands {
				w.Kubectl(args...)
			}
			expect(w, 0, []string{"diff", "base", "--exit-code"}, "no changes")
			expect(w, 0, []string{"deploy", "base", "--image", image("third")}, "1 of 1 Pods available")
			expectMark(w, "deployment/base")
			expect(w, 5, []string{"forge", filepath.Join(w.Home, "theirs")}, "belongs to repository example.com/team/base")
			expect(w, 0, []string{"teardown", "base", "--yes"}, "Workload deleted: Deployment base")
		})
	}
}

// An object that norn has created but not marked, because it was killed in between, is norn's.
func TestKilledBeforeMark(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"persistentvolumeclaims", "deployments", "services"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := bed.New(t, bed.ControlPlane(t))
			w.WriteApp("base", baseApp)
			killedAtMark(w, kind, "forge", "base")
			expect(w, 0, []string{"forge", "base"}, "Service base ")
			expect(w, 0, []string{"teardown", "base", "--delete-data", "--yes"}, "deleted: Deployment base")
			if left := w.Kubectl("get", kind, "-o", "name"); left != "" {
				t.Errorf("left over: %s", left)
			}
		})
	}
}

// killedAtMark runs norn and kills it when it is about to mark an object of a kind.
func killedAtMark(w *bed.Workspace, kind string, args ...string) {
	w.T.Helper()
	var cmd *exec.Cmd
	started := make(chan struct{})
	api := disturbed(w, bed.Fault{Method: http.MethodPatch, Path: "/" + kind + `/[^/]*\?fieldManager=norn$`, Count: 1,
		Do: func(http.ResponseWriter, *http.Request, http.Handler) {
			<-started
			_ = cmd.Process.Signal(syscall.SIGKILL)
			panic(http.ErrAbortHandler)
		}})
	cmd = w.Command(api, args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		w.T.Fatal(err)
	}
	close(started)
	_ = cmd.Wait()
	if state := cmd.ProcessState.Sys().(syscall.WaitStatus); !state.Signaled() {
		w.T.Fatalf("norn did not mark %s:\n%s", kind, out.String())
	}
	if mark := w.Kubectl("get", kind, "-o", "jsonpath={.items[*]"+markPath+"}"); mark != "" {
		w.T.Fatalf("%s have the mark %s", kind, mark)
	}
}

// The mark of a new Secret does not replace Pods. An existing Secret without a mark stays as it is.
func TestMarkOfSecretReplacesNoPods(t *testing.T) {
	t.Parallel()
	w := secretWorker(t)
	expect(w, 0, []string{"deploy", "moody", "--image", image("first")}, "secrets unchanged", "rollout unchanged")
	expectMark(w, "secret/moody-secrets")

	w.Kubectl("delete", "secret", "moody-secrets")
	killedAtMark(w, "secrets", "deploy", "moody", "--image", image("first"))
	expect(w, 0, []string{"deploy", "moody", "--image", image("first"), "--lock-timeout", "2m"}, "1 of 1 Pods available")
	expect(w, 0, []string{"deploy", "moody", "--image", image("first")}, "secrets unchanged", "rollout unchanged")
	if mark := w.Kubectl("get", "secret", "moody-secrets", "-o", "jsonpath={"+markPath+"}"); mark != "" {
		t.Errorf("the Secret has the mark %s", mark)
	}
	expect(w, 0, []string{"teardown", "moody", "--yes"}, "Secret deleted: moody-secrets")
}

// repository makes an app's folder a git repository with a remote.
func repository(w *bed.Workspace, app, remote string) {
	w.T.Helper()
	dir := filepath.Join(w.Home, app)
	bed.Git(w.T, dir, "init", "-q")
	bed.Git(w.T, dir, "remote", "add", "origin", remote)
}

// An app of the same name from another repository is refused before anything is written, unless it is adopted.
func TestAppOfAnotherRepository(t *testing.T) {
	t.Parallel()
	apps := map[string]string{"webserver": baseApp, "function": "app: base\nrole: function\n"}
	if bed.All() {
		apps["cron"] = "app: base\nrole: cron\nschedule: '@daily'\ncommand: x\n"
	}
	for name, app := range apps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := bed.New(t, bed.ControlPlane(t))
			w.PretendToRun()
			w.WriteApp("base", app)
			w.WriteApp("theirs", app)
			w.WriteApp("plain", app)
			w.WriteApp("other", "app: base\nrole: worker\n")
			repository(w, "base", "https://ada:hunter2@example.com/team/base.git")
			repository(w, "theirs", "git@example.com:team/copied.git")
			repository(w, "other", "git@example.com:team/copied.git")
			in := func(app string) string { return filepath.Join(w.Home, app) }
			deploy := func(app string) []string { return []string{"deploy", in(app), "--image", image("first")} }
			var restarts [][]string
			if name == "webserver" {
				restarts = [][]string{{"restart"}, {"rollback", "--to", "1"}}
			}
			if name != "function" {
				restarts = append(restarts, []string{"run"})
			}
			w.Norn("forge", in("base"))
			expect(w, 0, deploy("base"))
			state := w.State()

			text := fmt.Sprintf("app base in namespace %s belongs to repository %s, and this is %s",
				w.Namespace, "example.com/team/base", "example.com/team/copied")
			for _, args := range [][]string{
				{"forge", in("theirs")}, deploy("theirs"), append(deploy("theirs"), "--version-only"),
				append(deploy("theirs"), "--dry-run"), {"diff", in("theirs")}, {"forge", in("other")}, deploy("other"),
			} {
				out := expect(w, 5, args, text, "Hint: ", "norn forge base --adopt")
				if strings.Contains(out, "hunter2") {
					t.Errorf("norn %q prints the password:\n%s", args, out)
				}
			}
			if got := w.State(); got != state {
				t.Errorf("the refused commands changed the app:\n%s\nbefore:\n%s", got, state)
			}
			byName := append([][]string{{"teardown", "--yes", "--delete-data"}, {"teardown", "--dry-run"}}, restarts...)
			for _, args := range byName {
				if args = append(args, in("theirs")); args[0] == "run" {
					args = append(args, "--", "env")
				}
				expect(w, 5, args, text, "Hint: run the command in the app's own repository")
			}
			if got := w.State(); got != state {
				t.Errorf("the refused commands changed the app:\n%s\nbefore:\n%s", got, state)
			}
			byKey := "ssh://git@example.com:2222/team/base"
			bed.Git(t, in("base"), "remote", "set-url", "origin", byKey)
			expect(w, 0, deploy("base"), "unchanged")
			expect(w, 0, deploy("plain"), "unchanged") // not a repository, so nothing to compare

			expect(w, 0, []string{"forge", in("theirs"), "--adopt"})
			expect(w, 0, deploy("theirs"), "unchanged")
			expect(w, 5, deploy("base"), "belongs to repository example.com/team/copied, and this is example.com/team/base")
			expect(w, 5, []string{"teardown", in("base"), "--yes"}, "belongs to repository example.com/team/copied")
			elsewhere := []string{"teardown", "base", "--yes", "--delete-data", "--apps-dir", filepath.Join(w.Home, "plain")}
			expect(w, 0, elsewhere, "Workload deleted: ")
		})
	}
}
