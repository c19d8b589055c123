package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"norn/test/bed"
)

// probedApp has a healthcheck, so norn need not watch its Pods for a while.
const probedApp = "app: shop\nrole: webserver\nport: 8080\nhealthcheck: /healthz\n"

// interleaving is a sequence of changes by norn and by others, and what norn knows afterwards.
type interleaving struct {
	name     string
	steps    []step
	history  []string // newest first: number, image, and what norn knows of it; the first is current
	rollback string   // the image that norn rollback goes to, or "none"
}

type step func(*bed.Workspace)

// norn returns a step that runs norn with an exit code, and checks that the output contains a text.
func norn(code int, text string, args ...string) step {
	return func(w *bed.Workspace) { w.T.Helper(); expect(w, code, args, text) }
}

func deploys(code int, name string, args ...string) step {
	return norn(code, "", append([]string{"deploy", "shop", "--image", image(name)}, args...)...)
}

// kubectl returns a step that runs kubectl, and waits until the Deployment's Pods are available.
func kubectl(args ...string) step {
	return func(w *bed.Workspace) {
		w.T.Helper()
		w.Kubectl(args...)
		w.Kubectl("rollout", "status", "deployment/shop", "--timeout=60s")
	}
}

// The moments at which others change an app during a run: norn's request is held until they have done so.
var (
	// atBuild is after norn has read what runs.
	atBuild   = bed.Fault{Method: http.MethodGet, Path: `/services`, Count: 1}
	atWatch   = bed.Fault{Method: http.MethodGet, Path: `/deployments\?.*limit=1`, Count: 1}
	atLog     = bed.Fault{Method: http.MethodGet, Path: `/pods/[^/]+/log`, Count: 1}
	atRestore = bed.Fault{Method: http.MethodPatch, Path: `/deployments/shop\?fieldManager=norn-deploy$`, Count: 1}
	// afterRestore is when norn watches the Pods of the restored version.
	afterRestore = bed.Fault{Method: http.MethodGet, Path: `/deployments\?.*limit=1`, Skip: 1, Count: 1}
)

// during returns a step in which kubectl changes the app while norn runs.
func during(moment bed.Fault, change []string, code int, text string, args ...string) step {
	return func(w *bed.Workspace) {
		w.T.Helper()
		held := 0
		moment.Do = func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			held++
			if out, err := w.KubectlCommand(change...).CombinedOutput(); err != nil {
				w.T.Errorf("kubectl %v: %v\n%s", change, err, out)
			}
			next.ServeHTTP(rw, r)
		}
		out, got := bounded(w, disturbed(w, moment), args...)
		if got != code || !strings.Contains(out, text) || held != 1 {
			w.T.Fatalf("norn %v: exit code %d, want %d and %q; kubectl ran %d times:\n%s", args, got, code, text, held, out)
		}
		if code == 5 && !strings.Contains(out, "Hint: see norn status shop and norn history shop") {
			w.T.Errorf("no hint:\n%s", out)
		}
	}
}

func deploysDuring(moment bed.Fault, change []string, name string, code int, text string) step {
	return during(moment, change, code, text, "deploy", "shop", "--image", image(name))
}

// pausedDuring returns a deploy during which kubectl pauses the rollout, after it has begun.
func pausedDuring(name string) step {
	return func(w *bed.Workspace) {
		w.T.Helper()
		moment := atWatch
		moment.Do = func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			bed.Eventually(w.T, watchdog, "a second ReplicaSet", func() bool {
				return strings.Count(w.Kubectl("get", "replicasets", "-o", "name"), "\n") == 2
			})
			w.Kubectl(pause...)
			next.ServeHTTP(rw, r)
		}
		out, code := bounded(w, disturbed(w, moment), "deploy", "shop", "--image", image(name))
		for _, text := range []string{byPause, left, "kubectl rollout resume deployment/shop"} {
			if code != 5 || !strings.Contains(out, text) {
				w.T.Errorf("exit code %d, want 5 and %q:\n%s", code, text, out)
			}
		}
		if w.Kubectl("get", "deployment", "shop", "-o", "jsonpath={.spec.paused}") != "true" {
			w.T.Error("the Deployment is no longer paused")
		}
	}
}

// crashes makes the running Pod fail.
func crashes(w *bed.Workspace) {
	w.T.Helper()
	pod := strings.TrimSpace(w.Kubectl("get", "pods", "-l", "app=shop", "-o", "name"))
	w.Kubectl("patch", pod, "--subresource=status", "--type=merge", "-p",
		`{"status":{"conditions":[],"containerStatuses":[{"name":"shop","image":"second","imageID":"","ready":false,`+
			`"restartCount":9,"state":{"waiting":{"reason":"CrashLoopBackOff"}},`+
			`"lastState":{"terminated":{"exitCode":1}}}]}}`)
}

// marksOfEarlierNorn replaces the marks of the ReplicaSets by those of a norn whose marks had no hash.
func marksOfEarlierNorn(w *bed.Workspace) {
	w.T.Helper()
	for name := range strings.FieldsSeq(w.Kubectl("get", "replicasets", "-o", "name")) {
		hash := name[strings.LastIndexByte(name, '-')+1:]
		w.Kubectl("annotate", name, "norn/verified."+hash+"-")
		w.Kubectl("annotate", name, "norn/verified="+time.Now().UTC().Format(time.RFC3339), "--field-manager=norn-deploy")
	}
}

// hasNoMarks checks that the Deployment has none of the marks that kubectl has copied to it.
func hasNoMarks(w *bed.Workspace) {
	w.T.Helper()
	annotations := w.Kubectl("get", "deployment", "shop", "-o", "jsonpath={.metadata.annotations}")
	if strings.Contains(annotations, "norn/verified") || strings.Contains(annotations, "norn/failed") {
		w.T.Errorf("the Deployment has marks: %s", annotations)
	}
}

// The changes of others.
var (
	undo     = []string{"rollout", "undo", "deployment/shop"}
	setOther = []string{"set", "image", "deployment/shop", "shop=" + image("other")}
	setEnv   = []string{"patch", "deployment", "shop", "-p",
		`{"spec":{"template":{"spec":{"containers":[{"name":"shop","env":[{"name":"A","value":"1"}]}]}}}}`}
	scale    = []string{"scale", "deployment/shop", "--replicas=2"}
	toZero   = []string{"scale", "deployment/shop", "--replicas=0"}
	restart  = []string{"rollout", "restart", "deployment/shop"}
	pause    = []string{"rollout", "pause", "deployment/shop"}
	annotate = []string{"annotate", "deployment/shop", "note=1"}
	scrape   = annotatePods("prometheus.io/scrape")
	reload   = annotatePods("reloader.stakater.com/last-reloaded-from")
)

// annotatePods returns a change of an annotation of the Pod template.
func annotatePods(key string) []string {
	return []string{"patch", "deployment", "shop", "-p",
		fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{%q:"1"}}}}}`, key)}
}

// undoTo returns a kubectl rollout undo to a revision.
func undoTo(number int) []string {
	return append(slices.Clone(undo), fmt.Sprint("--to-revision=", number))
}

const (
	byUndo     = "kubectl changed the Pod template of Deployment shop at "
	bySet      = "kubectl-set changed the Pod template of Deployment shop at "
	byPatch    = "kubectl-patch changed the Pod template of Deployment shop at "
	byPause    = "kubectl-rollout paused Deployment shop at "
	left       = "during this run; norn left it as it is"
	isRestored = "the previous version was restored"
)

// Whatever others do before, during and after norn's runs, norn keeps their changes. It marks only versions that it has
// seen running as verified, and goes back only to those.
func TestInterleavings(t *testing.T) {
	t.Parallel()
	all := interleavings
	if bed.All() {
		all = append(slices.Clone(all), moreInterleavings...)
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := bed.New(t, bed.ControlPlane(t))
			w.PretendToRun()
			w.Env = append(w.Env, "USER=ada")
			w.WriteApp("shop", probedApp)
			deploys(0, "first")(w)
			for _, step := range c.steps {
				step(w)
			}
			if got := knownHistory(w); !slices.Equal(got, c.history) {
				t.Errorf("history is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.history, "\n"))
			}
			if want := strings.Fields(c.history[0])[1]; liveImage(w) != want {
				t.Errorf("%s runs, want %s", liveImage(w), want)
			}
			if c.rollback == "none" {
				expect(w, 2, []string{"rollback", "shop"}, "Hint: ")
				return
			}
			out := expect(w, 0, []string{"rollback", "shop"})
			if liveImage(w) != c.rollback {
				t.Errorf("the rollback went to %s, want %s:\n%s", liveImage(w), c.rollback, out)
			}
		})
	}
}

var imageName = regexp.MustCompile(`^example\.com/([^@]*)@`)

// liveImage returns the name of the image in the Deployment.
func liveImage(w *bed.Workspace) string {
	w.T.Helper()
	ref := w.Kubectl("get", "deployment", "shop", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
	return imageName.FindStringSubmatch(ref)[1]
}

// knownHistory returns norn's history of the app, a line for each revision, newest first.
func knownHistory(w *bed.Workspace) (lines []string) {
	w.T.Helper()
	history := json.NewDecoder(strings.NewReader(expect(w, 0, []string{"history", "shop", "-o", "json"})))
	for {
		var r struct {
			Revision          int
			Image, By, Failed string
			Created           time.Time
			Verified, Current bool
		}
		if err := history.Decode(&r); errors.Is(err, io.EOF) {
			return lines
		} else if err != nil {
			w.T.Fatal(err)
		}
		line := fmt.Sprint(r.Revision, " ", imageName.FindStringSubmatch(r.Image)[1])
		if r.By == "" {
			line += " foreign"
		}
		if r.Verified {
			line += " verified"
		}
		if r.Failed != "" {
			line += " failed"
		}
		if r.Current != (len(lines) == 0) {
			line += fmt.Sprint(" current: ", r.Current)
		}
		lines = append(lines, line)
	}
}
