package control

import (
	"fmt"
	"strings"
	"testing"

	"norn/test/bed"
)

const canaryApp = `app: shop
role: webserver
port: 8080
replicas: 3
healthcheck: /healthz
hosts: {internal: shop}
`

// holds returns the fields that a canary changes.
func holds(w *bed.Workspace) string {
	w.T.Helper()
	const fields = "{.spec.paused} {.spec.minReadySeconds} {.spec.progressDeadlineSeconds} " +
		"{.spec.strategy.rollingUpdate.maxSurge} {.spec.strategy.rollingUpdate.maxUnavailable} " +
		"{.metadata.annotations.norn/canary}"
	text := w.Kubectl("get", "deployment", "shop", "-o", "jsonpath="+fields)
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "false", "")), " ")
}

// canaryShop returns a workspace whose app runs v000.
func canaryShop(t *testing.T) *bed.Workspace {
	t.Helper()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	w.WriteApp("shop", canaryApp)
	deploys(0, "v000")(w)
	return w
}

// If a deploy with a canary is killed at any of its writes, one version serves with all its Pods, and status names a
// canary that is held. norn deploy --continue then ships the version, or norn rollback brings back the other one. A
// canary that is not held yet, or not any more, is shipped by the same deploy.
func TestCanaryKilledAtEveryWrite(t *testing.T) {
	t.Parallel()
	w := canaryShop(t)
	want := holds(w)
	running, held := "v000", 0
	moments := []bool{true}
	if bed.All() {
		moments = []bool{true, false}
	}
	versions := 0
	for _, after := range moments {
		for n := int32(1); ; n++ {
			versions++
			version := fmt.Sprintf("v%03d", versions)
			deploy := []string{"deploy", "shop", "--image", image(version), "--canary", "--for", "1s"}
			hit := w.KillAt(n, after, deploy...)
			switch status := expect(w, 0, []string{"status", "shop"}); {
			case !strings.Contains(status, "has had a canary of"):
				w.Norn(deploy...)
				running = version
			case held%2 == 0:
				held++
				expect(w, 5, deploy, "Deployment shop has had a canary of "+version, "norn rollback shop")
				expect(w, 0, []string{"rollback", "shop"})
			default:
				held++
				expect(w, 0, []string{"deploy", "shop", "--continue"})
				running = version
			}
			same(w, fmt.Sprintf("the version after write %d (after: %v)", n, after), images(w), "shop "+running+" 3")
			same(w, "what holds it", holds(w), want)
			if !hit {
				break
			}
		}
	}
	if held < 3 {
		t.Errorf("only %d of the kills left a canary", held)
	}
	expectNoDrift(w)
}

// A canary of a version that does not start is taken back, and one that somebody else changes is left to them, without
// its hold.
func TestCanaryTakenBack(t *testing.T) {
	t.Parallel()
	w := canaryShop(t)
	want, pods := holds(w), podNames(w)
	expect(w, 4, []string{"deploy", "shop", "--image", image("broken"), "--canary=2", "--for", "1m"},
		"failed (CannotStart)", "the previous version was restored")
	same(w, "what holds it", holds(w), want)
	bed.Eventually(t, watchdog, "the old Pods alone", func() bool { return podNames(w) == pods })

	setImage := []string{"set", "image", "deployment/shop", "shop=" + image("theirs")}
	whileHeld := afterRestore // the second watch is that of the canary
	during(whileHeld, setImage, 5, "kubectl-set changed the Pod template", "deploy", "shop", "--image", image("v001"),
		"--canary", "--for", "1m")(w)
	same(w, "what holds it", holds(w), want)
	w.Kubectl("rollout", "status", "deployment/shop", "--timeout=60s")
	same(w, "the version", images(w), "shop theirs 3")
}

// podNames returns the names of the app's Pods.
func podNames(w *bed.Workspace) string {
	w.T.Helper()
	return w.Kubectl("get", "pods", "-l", "app=shop", "-o", "name")
}
