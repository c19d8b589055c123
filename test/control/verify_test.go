package control

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"norn/test/bed"
)

const verifiedApp = `app: shop
role: webserver
port: 8080
healthcheck: /healthz
hosts: {internal: shop}
verify: [/shop, smoke]
`

// verifying matches the writes of verify.
var verifying = regexp.MustCompile(`/(?:pods|jobs)(?:/shop-verify-[a-z0-9]+)?$`)

func isVerifyWrite(r *http.Request) bool { return bed.Changes(r) && verifying.MatchString(r.URL.Path) }

// verifyLeft returns what verify has left in the namespace, once the deletions are complete.
func verifyLeft(w *bed.Workspace) string {
	w.T.Helper()
	return w.Kubectl("get", "pods,jobs", "-l", "norn/job=verify,!batch.kubernetes.io/job-name", "-o", "name")
}

// If a deploy is killed at any write of verify, running it again verifies and ships the version, and removes what the
// first run has left.
func TestVerifyKilledAtEveryWrite(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	w.WriteApp("shop", verifiedApp)
	deploys(0, "v000")(w)
	state := func() string { return versionName.ReplaceAllString(w.State(), "VERSION") }
	want := state()
	last := int32(2) // the writes that create what would be left
	if bed.All() {
		last = 10 // norn deletes an object again if it has just changed
	}
	writes := int32(0)
	for n := int32(1); n <= last; n++ {
		version := fmt.Sprintf("v%03d", n)
		args := []string{"deploy", "shop", "--image", image(version)}
		if !w.KillAtWrite(isVerifyWrite, n, true, args...) {
			break
		}
		writes = n
		if running := images(w); strings.Contains(running, version) {
			t.Errorf("killed at write %d: %s", n, running)
		}
		w.Norn(args...)
		same(w, "the version", images(w), "shop "+version+" 1")
		same(w, "what is left", verifyLeft(w), "")
		same(w, "the state", state(), want)
	}
	if writes < 2 || bed.All() && writes < 4 { // a Pod and a Job, created and deleted
		t.Errorf("only %d writes", writes)
	}
}

// A teardown removes the Pod that a killed deploy has left.
func TestVerifyTornDown(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	w.WriteApp("shop", verifiedApp)
	if !w.KillAtWrite(isVerifyWrite, 2, true, "deploy", "shop", "--image", image("first")) {
		t.Fatal("the deploy was not killed")
	}
	if left := verifyLeft(w); strings.Count(left, "\n") != 2 {
		t.Errorf("a killed deploy leaves a Pod and a Job, not %q", left)
	}
	expect(w, 0, []string{"teardown", "shop", "--yes"}, "Pod shop-verify-")
	same(w, "what is left", verifyLeft(w), "")
}

// A Pod that does not start fails the deploy with the reason of a rollout, and changes nothing.
func TestVerifyFails(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	w.WriteApp("shop", verifiedApp)
	deploys(0, "first")(w)
	want := w.State()
	expect(w, 4, []string{"deploy", "shop", "--image", image("broken")},
		"failed (CannotStart): container shop cannot start: the image is broken",
		"verify of shop failed (CannotStart): ", "; the running version is unchanged")
	same(w, "what is left", verifyLeft(w), "")
	same(w, "the state", w.State(), want)
}
