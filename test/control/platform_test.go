package control

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"norn/test/bed"
)

// platformBed is a workspace whose cluster seems to have nodes of several platforms, and a registry with images for
// them.
type platformBed struct {
	*bed.Workspace
	kubeconfig string
	registry   string

	mu    sync.Mutex
	nodes []string // architectures
	jobs  []string // the Jobs that norn has created
}

func newPlatformBed(t *testing.T) *platformBed {
	t.Helper()
	w := &platformBed{Workspace: bed.New(t, bed.ControlPlane(t)), nodes: []string{"amd64", "arm64"}}
	w.PretendToRun()
	registry := httptest.NewServer(http.HandlerFunc(servePlatforms))
	t.Cleanup(registry.Close)
	w.registry = strings.TrimPrefix(registry.URL, "http://")
	w.kubeconfig = proxied(w.Workspace, func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		switch {
		case r.URL.Path == "/api/v1/nodes":
			rw.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(rw, w.nodeList())
			return
		case strings.HasSuffix(r.URL.Path, "/log"): // no container writes one
			return
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/jobs"):
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			w.mu.Lock()
			w.jobs = append(w.jobs, string(body))
			w.mu.Unlock()
		}
		next.ServeHTTP(rw, r)
	})
	return w
}

func (w *platformBed) nodeList() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var items []string
	for _, a := range w.nodes {
		items = append(items, fmt.Sprintf(
			`{"metadata":{"name":%q,"labels":{"kubernetes.io/os":"linux","kubernetes.io/arch":%[1]q}}}`, a))
	}
	return `{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[` + strings.Join(items, ",") + `]}`
}

// servePlatforms serves the images amd64 and arm64, and the index both. A tag is the name of the repository.
func servePlatforms(rw http.ResponseWriter, r *http.Request) {
	platform := func(a string) string { return fmt.Sprintf(`{"os":"linux","architecture":%q}`, a) }
	digest := func(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }
	name, kind, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/")
	text := fmt.Sprintf(`{"config":{"digest":%q}}`, digest(platform(name)))
	if name == "both" {
		text = fmt.Sprintf(`{"manifests":[{"platform":%s},{"platform":%s}]}`, platform("amd64"), platform("arm64"))
	}
	if strings.HasPrefix(kind, "blobs/") {
		text = platform(name)
	}
	rw.Header().Set("Docker-Content-Digest", digest(text))
	_, _ = io.WriteString(rw, text)
}

// norn runs norn, which must succeed, and checks that its output contains each text.
func (w *platformBed) norn(args []string, texts ...string) {
	w.T.Helper()
	out, code := bounded(w.Workspace, w.kubeconfig, args...)
	if code != 0 {
		w.T.Fatalf("norn %s: exit code %d:\n%s", strings.Join(args, " "), code, out)
	}
	for _, text := range texts {
		if !strings.Contains(out, text) {
			w.T.Fatalf("norn %s: %q is not in the output:\n%s", strings.Join(args, " "), text, out)
		}
	}
}

func (w *platformBed) deploy(name string, texts ...string) {
	w.T.Helper()
	w.norn([]string{"deploy", "shop", "--image", w.registry + "/" + name}, texts...)
}

const nodeAffinity = "{.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms" +
	"[*].matchExpressions[*].values[*]}"

// expectNodes checks the values of the required node affinity in an object's Pod template, which is at path.
func (w *platformBed) expectNodes(object, path, want string) {
	w.T.Helper()
	got := w.Kubectl("get", object, "-o", "jsonpath="+strings.Replace(nodeAffinity, "{", "{"+path, 1))
	if strings.TrimSpace(got) != want {
		w.T.Errorf("%s requires %q, want %q", object, got, want)
	}
}

func (w *platformBed) setNodes(architectures ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes = architectures
}

// expectJob checks that the last Job requires nodes of an architecture.
func (w *platformBed) expectJob(architecture string) {
	w.T.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	last := strings.Join(w.jobs[max(0, len(w.jobs)-1):], "")
	if !regexp.MustCompile(`(?s)kubernetes\.io/arch.{1,9}In.{1,9}` + architecture).MatchString(last) {
		w.T.Errorf("the last of %d Jobs does not require %s: %q", len(w.jobs), architecture, last)
	}
	w.jobs = nil
}

// The Pods of an image stay on the nodes that can run it. The requirement belongs to the version: forge leaves it
// alone, and a rollback brings back the earlier one.
func TestPlatforms(t *testing.T) {
	t.Parallel()
	w := newPlatformBed(t)
	const deployment, template = "deployment/shop", ".spec.template.spec"
	const app = "app: shop\nrole: worker\nmigrations: {command: [migrate]}\n"
	w.WriteApp("shop", app)
	w.deploy("amd64", "for linux/amd64; its Pods run only on such nodes")
	w.expectNodes(deployment, template, "amd64 linux")
	w.expectJob("amd64")
	w.norn([]string{"run", "shop", "--", "true"})
	w.expectJob("amd64")

	w.norn([]string{"diff", "shop"})
	w.norn([]string{"forge", "shop"}, "unchanged")
	w.deploy("arm64")
	w.expectNodes(deployment, template, "arm64 linux")
	w.expectJob("arm64")

	w.norn([]string{"rollback", "shop"})
	w.expectNodes(deployment, template, "amd64 linux")
	w.WriteApp("shop", app+"env: {A: b}\n")
	w.norn([]string{"forge", "shop"}, "Pods available")
	w.expectNodes(deployment, template, "amd64 linux")

	w.setNodes("amd64") // the others are switched off
	w.deploy("amd64", "rollout unchanged")
	w.expectNodes(deployment, template, "amd64 linux")
	w.setNodes("amd64", "arm64")
	w.deploy("both", "for linux/amd64, linux/arm64")
	w.expectNodes(deployment, template, "")

	w.Kubectl("patch", deployment, "--type=merge", "-p", `{"spec":{"template":{"spec":{"affinity":{"nodeAffinity":{`+
		`"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[`+
		`{"key":"zone","operator":"In","values":["a"]}]}]}}}}}}}`)
	w.deploy("arm64", "the Pods already have a node affinity")
	w.expectNodes(deployment, template, "a")
}

// Runs of cron apps and calls of functions need such nodes too. In a cluster with one platform, nothing does.
func TestPlatformsOfRuns(t *testing.T) {
	t.Parallel()
	w := newPlatformBed(t)
	w.WriteApp("shop", "app: shop\nrole: cron\nschedule: '@yearly'\ncommand: [once]\n")
	const cron, template = "cronjob/shop", ".spec.jobTemplate.spec.template.spec"
	w.deploy("arm64")
	w.expectNodes(cron, template, "arm64 linux")
	w.norn([]string{"forge", "shop"}, "unchanged")
	w.deploy("both")
	w.expectNodes(cron, template, "")
	w.norn([]string{"teardown", "shop", "--yes"})

	w.WriteApp("shop", "app: shop\nrole: function\ncommand: [once]\n")
	w.deploy("arm64")
	w.norn([]string{"invoke", "shop"})
	w.expectJob("arm64")
	w.norn([]string{"teardown", "shop", "--yes"})

	w.setNodes("arm64", "arm64")
	w.WriteApp("shop", "app: shop\nrole: worker\n")
	w.deploy("amd64")
	w.expectNodes("deployment/shop", ".spec.template.spec", "")
}
