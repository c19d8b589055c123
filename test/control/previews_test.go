package control

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"norn/test/bed"
)

// previews returns a workspace with the app hello, which has a Secret, a claim and a process, and whose previews live
// for a time.
func previews(t *testing.T, ttl string) *bed.Workspace {
	t.Helper()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	dir := filepath.Join(w.Home, "hello")
	bed.CopyApp(t, "hello", dir)
	w.Env = append(w.Env, "SOPS_AGE_KEY_FILE="+filepath.Join(dir, "test-key.txt"))
	text, err := os.ReadFile(filepath.Join(dir, "infraspec.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	bed.WriteFiles(t, w.Home, map[string]string{"hello/infraspec.yaml": fmt.Sprintf(`%s
replicas: 2
processes: {worker: {command: [/hello, work]}}
environments:
  main: {namespace: %s}
  preview: {namespace: %[2]s, ttl: %[3]s, env: {NAME: "{name}"}}
`, text, w.Namespace, ttl)})
	return w
}

// at returns a kubeconfig for the API server with a clock that is ahead. The clock of norn's machine stays.
func at(w *bed.Workspace, ahead time.Duration) string {
	return proxied(w, func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&dated{rw, http.TimeFormat, ahead}, r)
	})
}

// dated changes the date of an answer.
type dated struct {
	http.ResponseWriter
	layout string
	ahead  time.Duration
}

func (d *dated) WriteHeader(code int) {
	d.Header()["Date"] = nil
	if d.layout != "" {
		d.Header()["Date"] = []string{time.Now().Add(d.ahead).UTC().Format(d.layout)}
	}
	d.ResponseWriter.WriteHeader(code)
}

func (d *dated) Unwrap() http.ResponseWriter { return d.ResponseWriter }

// says runs norn, and checks its exit code and that its output contains each text.
func says(w *bed.Workspace, kubeconfig string, code int, args []string, texts ...string) string {
	w.T.Helper()
	out, got := bounded(w, kubeconfig, args...)
	if got != code {
		w.T.Fatalf("norn %s: exit code %d, want %d:\n%s", strings.Join(args, " "), got, code, out)
	}
	for _, text := range texts {
		if !strings.Contains(out, text) {
			w.T.Fatalf("norn %s: %q is not in the output:\n%s", strings.Join(args, " "), text, out)
		}
	}
	return out
}

func deployPreview(w *bed.Workspace, kubeconfig, environment string) {
	w.T.Helper()
	says(w, kubeconfig, 0, []string{"deploy", "hello", "--env", environment, "--image", image("first")}, "available")
}

// names returns the names of all objects in the namespace that norn makes, and of their Pods.
func names(w *bed.Workspace) []string {
	w.T.Helper()
	out := w.Kubectl("get", "deployments,cronjobs,replicasets,pods,services,secrets,persistentvolumeclaims,"+
		"poddisruptionbudgets,leases,configmaps", "-o", "name", "--show-kind")
	all := strings.Fields(out)
	slices.Sort(all)
	return all
}

// A preview is listed, renewed, and pruned when it has expired by the API server's clock, with everything that belongs
// to it. Nothing else goes: the app itself, another preview, and copies with its labels.
func TestPreviewIsPruned(t *testing.T) {
	t.Parallel()
	w := previews(t, "1h")
	deployPreview(w, w.Kubeconfig, "main")
	deployPreview(w, w.Kubeconfig, "preview/pr-1")
	deployPreview(w, at(w, 30*time.Minute), "preview/pr-2")
	w.Kubectl("create", "configmap", "hello-pr-1")
	w.Kubectl("label", "configmap", "hello-pr-1", "managed-by=norn", "app=hello-pr-1", "norn/environment=preview.pr-1")
	w.Kubectl("create", "service", "clusterip", "foreign", "--tcp=80")
	w.Kubectl("label", "--overwrite", "service", "foreign", "managed-by=norn", "app=hello-pr-1",
		"norn/environment=preview.pr-1")
	w.Kubectl("annotate", "service", "foreign", "norn/expires=2020-01-01T00:00:00Z")

	env := w.Kubectl("get", "deployment", "hello-pr-1", "-o", "jsonpath={.spec.template.spec.containers[0].env}")
	if !strings.Contains(env, `"value":"pr-1"`) {
		t.Errorf("the preview does not get its name: %s", env)
	}
	list := []string{"preview", "list", "hello"}
	says(w, w.Kubeconfig, 0, list, "preview/pr-1  hello-pr-1", "preview/pr-2  hello-pr-2")
	late := at(w, 61*time.Minute)
	says(w, late, 0, list, "expired", "in 2")
	schema, err := bed.JSONSchema("../..", "norn-preview-list")
	if err != nil {
		t.Fatal(err)
	}
	cmd := w.Command(late, append(list, "-o", "json")...)
	if out, err := cmd.Output(); err != nil || bed.ValidLines(schema, string(out)) != nil ||
		strings.Count(string(out), `"expired":true`) != 1 {
		t.Errorf("%v, %v: %s", err, bed.ValidLines(schema, string(out)), out)
	}

	prune := []string{"preview", "prune", "hello"}
	says(w, w.Kubeconfig, 0, append(prune, "--yes"), "none has expired")
	says(w, late, 2, prune, "needs confirmation")
	before := names(w)
	says(w, late, 0, append(prune, "--dry-run"), "Preview hello-pr-1 planned: would delete in namespace",
		"Secret hello-pr-1-secrets", "PersistentVolumeClaim hello-pr-1-data")
	if after := names(w); !slices.Equal(before, after) {
		t.Errorf("the dry run changed\n%s\nto\n%s", before, after)
	}

	const template = "jsonpath={.spec.template}"
	ran := w.Kubectl("get", "deployment", "hello-pr-1", "-o", template)
	deployPreview(w, at(w, 59*time.Minute), "preview/pr-1") // renews it
	if got := w.Kubectl("get", "deployment", "hello-pr-1", "-o", template); got != ran {
		t.Errorf("the renewal replaces Pods: template\n%s\nwas\n%s", got, ran)
	}
	says(w, late, 0, append(prune, "--yes"), "none has expired")
	says(w, late, 0, []string{
		"deploy", "hello", "--env", "preview/pr-1", "--image", image("first"), "--version-only",
	})
	if left := says(w, at(w, 110*time.Minute), 0, list, "in "); strings.Count(left, "expired") != 1 {
		t.Errorf("a deploy of the version alone renews nothing:\n%s", left)
	}
	later := at(w, 130*time.Minute)
	says(w, later, 0, append(prune, "--yes"), "Preview hello-pr-1 deleted",
		"Deployment hello-pr-1, Deployment hello-pr-1-worker", "Preview hello-pr-2 deleted",
		"PersistentVolumeClaim hello-pr-1-data, with the data")
	want := slices.DeleteFunc(before, func(name string) bool {
		return strings.Contains(name, "hello-pr-") && !strings.HasPrefix(name, "configmap/")
	})
	var after []string
	bed.Eventually(t, time.Minute, "only what is not part of a preview is left", func() bool {
		after = names(w)
		return slices.Equal(after, want)
	})
	says(w, later, 0, append(prune, "--yes"), "none has expired")
	says(w, w.Kubeconfig, 0, []string{"diff", "hello", "--env", "main", "--exit-code"})
}

// A prune that is killed at any of its writes is finished by the next one.
func TestPruneKilled(t *testing.T) {
	t.Parallel()
	w := previews(t, "1s")
	w.WriteApp("hello", `app: hello
role: cron
schedule: "@daily"
command: [/hello]
secrets: [HELLO_TOKEN]
volumes: [{name: data, mountPath: /data, size: 1Mi}, {name: more, mountPath: /more, size: 1Mi}]
processes: {worker: {command: [/hello, work], replicas: 0}}
environments: {preview: {namespace: `+w.Namespace+`, ttl: 1s}}
`)
	before := names(w)
	expired := func() {
		says(w, w.Kubeconfig, 0, []string{"deploy", "hello", "--env", "preview/pr-1", "--image", image("first")})
		bed.Eventually(t, time.Minute, "the preview has expired", func() bool {
			return strings.Contains(says(w, w.Kubeconfig, 0, []string{"preview", "list", "hello"}), "expired")
		})
	}
	expired()
	w.Kubectl("delete", "cronjobs,deployments,persistentvolumeclaims", "-l", "app=hello-pr-1")
	says(w, w.Kubeconfig, 0, []string{"preview", "prune", "hello", "--yes"}, "Secret hello-pr-1-secrets") // left alone
	for n := int32(1); ; n++ {
		expired()
		hit := w.KillAt(n, true, "preview", "prune", "hello", "--yes")
		says(w, w.Kubeconfig, 0, []string{"preview", "prune", "hello", "--yes"})
		var after []string
		bed.Eventually(t, time.Minute, "nothing is left", func() bool {
			after = slices.DeleteFunc(names(w), func(name string) bool { // the lock of a prune that found nothing more
				return strings.HasPrefix(name, "lease.")
			})
			return slices.Equal(after, before)
		})
		if !hit {
			if n < 7 {
				t.Errorf("only %d writes", n)
			}
			return
		}
	}
}

// A preview that a deploy renews while prune waits for its lock stays. One that cannot be pruned does not keep the
// others.
func TestPruneReadsAgain(t *testing.T) {
	t.Parallel()
	w := previews(t, "1h")
	for _, name := range []string{"pr-1", "pr-2", "pr-3"} {
		says(w, w.Kubeconfig, 0, []string{"forge", "hello", "--env", "preview/" + name})
	}
	w.Kubectl("label", "service", "hello-pr-1", "norn/environment-")
	soon := at(w, 59*time.Minute)
	meanwhile := disturbed(w,
		bed.Fault{Method: http.MethodPost, Path: "/leases", Skip: 2, Count: 1,
			Do: func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
				says(w, soon, 0, []string{"forge", "hello", "--env", "preview/pr-3"})
				next.ServeHTTP(rw, r)
			}},
		bed.Fault{Do: func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(&dated{rw, http.TimeFormat, 61 * time.Minute}, r)
		}},
	)
	says(w, meanwhile, 5, []string{"preview", "prune", "hello", "--yes"}, "Preview hello-pr-2 deleted",
		"Preview hello-pr-3 skipped", "it was renewed", "Service hello-pr-1 in namespace", "belongs to no environment")
	list := says(w, w.Kubeconfig, 0, []string{"preview", "list", "hello"})
	if strings.Contains(list, "pr-2") || !strings.Contains(list, "pr-1") || !strings.Contains(list, "pr-3") {
		t.Errorf("left:\n%s", list)
	}
}

// Without the API server's time, norn neither makes nor prunes a preview.
func TestPreviewWithoutTime(t *testing.T) {
	t.Parallel()
	w := previews(t, "1h")
	undated := proxied(w, func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&dated{ResponseWriter: rw}, r)
	})
	const problem = "the API server's answer has no date"
	says(w, undated, 1, []string{"forge", "hello", "--env", "preview/pr-1"}, problem)
	says(w, undated, 1, []string{"preview", "prune", "hello", "--yes"}, problem)
	says(w, undated, 0, []string{"forge", "hello", "--env", "main"})
}
