package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"norn/test/bed"
)

// shipsThree has three processes of one image.
const shipsThree = `app: shop
role: webserver
port: 8080
healthcheck: /healthz
processes:
  worker: {replicas: 2, healthcheck: {tcp: true, port: 9000}}
  nightly: {role: cron, command: [/shop, report], schedule: "0 3 * * *"}
`

const shipsFour = shipsThree + "  mailer: {healthcheck: {tcp: true, port: 9001}}\n"

// shop returns a workspace with the first version of an app of three processes.
func shop(t *testing.T) *bed.Workspace {
	t.Helper()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	w.WriteApp("shop", shipsThree)
	deploys(0, "first")(w)
	return w
}

// images returns what the processes run or run next, and their replicas or whether they are suspended.
func images(w *bed.Workspace) string {
	w.T.Helper()
	const template = "jsonpath={range .items[*]}{.metadata.name}={%s.spec.containers[0].image}*{%s}{'\\n'}{end}"
	all := w.Kubectl("get", "deployments", "-o", fmt.Sprintf(template, ".spec.template", ".spec.replicas")) +
		w.Kubectl("get", "cronjobs", "-o", fmt.Sprintf(template, ".spec.jobTemplate.spec.template", ".spec.suspend"))
	var out []string
	for line := range strings.Lines(all) {
		name, image, _ := strings.Cut(strings.TrimSpace(line), "=")
		_, count, _ := strings.Cut(image, "*")
		out = append(out, name+" "+imageName.FindStringSubmatch(image)[1]+" "+count)
	}
	return strings.Join(out, ", ")
}

// releases returns norn's history of the app, a line for each release, newest first.
func releases(w *bed.Workspace) string {
	w.T.Helper()
	var lines []string
	history := json.NewDecoder(strings.NewReader(expect(w, 0, []string{"history", "shop", "-o", "json"})))
	for {
		var r struct {
			Revision          int
			Image, Failed     string
			Verified, Current bool
			Revisions         map[string]int
		}
		if err := history.Decode(&r); errors.Is(err, io.EOF) {
			return strings.Join(lines, "\n")
		} else if err != nil {
			w.T.Fatal(err)
		}
		line := fmt.Sprint(r.Revision, " ", imageName.FindStringSubmatch(r.Image)[1], " ", r.Revisions)
		if r.Verified {
			line += " verified"
		}
		if r.Failed != "" {
			line += " failed"
		}
		if r.Current {
			line += " current"
		}
		lines = append(lines, line)
	}
}

func same(w *bed.Workspace, what, got, want string) {
	w.T.Helper()
	if got != want {
		w.T.Errorf("%s:\n%s\nwant\n%s", what, got, want)
	}
}

// If one process of a release fails, all go back, and the CronJob has never changed.
func TestOneProcessFails(t *testing.T) {
	t.Parallel()
	w := shop(t)
	deploys(0, "second")(w)
	second := "shop second 1, shop-worker second 2, shop-nightly second false"
	same(w, "the second version", images(w), second)
	expect(w, 4, []string{"deploy", "shop", "--image", image("broken-only-worker")}, "process worker failed (",
		"the rollout of process worker of shop failed", "(main, worker as revision 4)")
	same(w, "after the failure", images(w), second)
	same(w, "the history", releases(w), strings.Join([]string{
		"4 second map[main:4 worker:4] verified current",
		"3 broken-only-worker map[main:3 worker:3] failed",
		"1 first map[main:1 worker:1] verified",
	}, "\n"))
	expect(w, 0, []string{"rollback", "shop"}, "process nightly runs ")
	same(w, "after the rollback", images(w), "shop first 1, shop-worker first 2, shop-nightly first false")
	expect(w, 0, []string{"restart", "shop", "--process", "worker"}, "revision 6, 2 of 2 Pods available")
	same(w, "after the restart", releases(w), strings.Join([]string{
		"6 first map[main:5 worker:6] verified current",
		"5 first map[main:5 worker:5] verified",
		"4 second map[main:4 worker:4] verified",
		"3 broken-only-worker map[main:3 worker:3] failed",
	}, "\n"))
	expect(w, 2, []string{"restart", "shop", "--process", "nightly"}, "choose one of main, worker")
	expect(w, 0, []string{"restart", "shop"}, "done: revision 7, main: 1 of 1 Pods available; worker: 2 of 2 Pods ")
	expect(w, 0, []string{"rollback", "shop", "--to", "2"}, "choose done: revision 4, ",
		"rollout done: revision 8, main: 1 of 1 Pods available; worker: 2 of 2 Pods available")
	same(w, "back to the second version", images(w), second)
	sameNumbers(w, "8")
}

// sameNumbers checks that a revision is the current one for every command that shows or takes a number, although the
// Deployments count differently.
func sameNumbers(w *bed.Workspace, number string) {
	w.T.Helper()
	if first, _, _ := strings.Cut(releases(w), " "); first != number {
		w.T.Errorf("revision %s is the newest in the history, want %s", first, number)
	}
	lines := strings.Split(expect(w, 0, []string{"status", "shop"}), "\n")
	isCurrent := func(line string) bool {
		fields := strings.Fields(line)
		return len(fields) > 3 && fields[0] == number && slices.Contains(fields, "current")
	}
	if !slices.ContainsFunc(lines, isCurrent) {
		w.T.Errorf("norn status does not show revision %s as current:\n%s", number, strings.Join(lines, "\n"))
	}
	for _, line := range lines {
		if fields := strings.Fields(line); len(fields) == 6 && strings.HasPrefix(line, "shop-") && fields[5] != number {
			w.T.Errorf("norn status shows the Pod of another revision: %s", line)
		}
	}
	w.Env = append(w.Env, "NORN_COMPLETION_TIMEOUT=1m")
	expect(w, 0, []string{"__complete", "rollback", "shop", "--to", ""}, number+"\t")
	expect(w, 0, []string{"rollback", "shop", "--to", number}, "choose done: revision "+number+", ")
}

// A process that is new in a release that fails, or that a release does not have, ends. The next deploy starts it.
func TestProcessAdded(t *testing.T) {
	t.Parallel()
	w := shop(t)
	w.WriteApp("shop", shipsFour)
	first := "shop first 1, shop-mailer broken-only-mailer 0, shop-worker first 2, shop-nightly first false"
	expect(w, 4, []string{"deploy", "shop", "--image", image("broken-only-mailer")}, "process mailer failed (",
		"mailer scaled to 0, because it is new")
	same(w, "after the failure", images(w), first)
	deploys(0, "second")(w)
	second := "shop second 1, shop-mailer second 1, shop-worker second 2, shop-nightly second false"
	same(w, "the second version", images(w), second)
	expect(w, 0, []string{"rollback", "shop"}, "process mailer scaled to 0: it did not exist then")
	same(w, "after the rollback", images(w),
		"shop first 1, shop-mailer second 0, shop-worker first 2, shop-nightly first false")
	expect(w, 0, []string{"rollback", "shop"}, "choose done: revision 4, ")
	same(w, "forward again", images(w), second)
	w.WriteApp("shop", shipsThree)
	deploys(0, "third")(w)
	out := expect(w, 0, []string{"rollback", "shop"})
	const gone = "process mailer was part of revision 6, "
	if last := strings.Index(out, gone); last < strings.Index(out, "rollout done") {
		w.T.Errorf("the rollback does not end with %q:\n%s", gone, out)
	}
	same(w, "without the mailer", images(w), "shop second 1, shop-worker second 2, shop-nightly second false")
}

// If a first deploy fails, no process of the release goes on. The next deploy starts them.
func TestFirstReleaseFails(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	w.WriteApp("shop", shipsThree)
	expect(w, 4, []string{"deploy", "shop", "--image", image("broken-only-worker")}, "process worker failed (",
		"the previous version was not restored: no earlier verified version to roll back to; "+
			"main, worker scaled to 0, because they are new")
	same(w, "after the failure", images(w), "shop broken-only-worker 0, shop-worker broken-only-worker 0")
	expect(w, 2, []string{"restart", "shop"}, "all processes of shop are scaled to 0", "norn deploy shop")
	deploys(0, "second")(w)
	same(w, "the second version", images(w), "shop second 1, shop-worker second 2, shop-nightly second false")
}

// If one of two new schedules cannot be set, both are suspended again.
func TestNewSchedulesFail(t *testing.T) {
	t.Parallel()
	w := shop(t)
	w.WriteApp("shop", shipsThree+`  early: {role: cron, command: [/shop], schedule: "@daily"}
  weekly: {role: cron, command: [/shop], schedule: "@weekly"}
`)
	refusal := bed.Fault{Method: http.MethodPatch, Path: "/cronjobs/shop-weekly[?].*fieldManager=norn-deploy", Count: 1}
	refusal.Do = bed.Fail(http.StatusUnprocessableEntity, "Invalid", "")
	out, code := bounded(w, disturbed(w, refusal), "deploy", "shop", "--image", image("second"))
	if code != 1 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	const suspended = "jsonpath={range .items[*]}{.metadata.name} {.spec.suspend}{'\\n'}{end}"
	same(w, "the schedules", w.Kubectl("get", "cronjobs", "-o", suspended),
		"shop-early true\nshop-nightly false\nshop-weekly true\n")
}

// While a dropped process ends, norn shows the release that runs without it. When only the main process is left, the
// numbers go on, and a rollback names the process that it cannot bring back.
func TestProcessDropped(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	const one = "app: shop\nrole: webserver\nport: 8080\nhealthcheck: /healthz\n"
	w.WriteApp("shop", one+"processes:\n  worker: {replicas: 2, healthcheck: {tcp: true, port: 9000}}\n")
	deploys(0, "first")(w)
	expect(w, 0, []string{"restart", "shop", "--process", "worker"}, "revision 2, ")
	w.Kubectl("patch", "deployment", "shop-worker", "-p", `{"metadata": {"finalizers": ["example.com/slow"]}}`)
	w.WriteApp("shop", one)
	dry := expect(w, 0, []string{"deploy", "shop", "--dry-run", "--image", image("second")})
	if !strings.Contains(dry, "process worker ends, because the infraspec no longer has it") {
		t.Errorf("the plan does not name the dropped process:\n%s", dry)
	}
	deploys(0, "second")(w)
	same(w, "while the worker ends", releases(w), strings.Join([]string{
		"3 second map[main:2] verified current", "2 first map[main:1] verified",
	}, "\n"))
	expect(w, 0, []string{"status", "shop"}, "worker   worker     terminating")
	sameNumbers(w, "3")
	w.Kubectl("patch", "deployment", "shop-worker", "-p", `{"metadata": {"finalizers": null}}`)
	bed.Eventually(t, watchdog, "the worker is gone", func() bool { return !strings.Contains(images(w), "worker") })
	sameNumbers(w, "3")
	expect(w, 0, []string{"rollback", "shop"}, "process worker was part of revision 2, ",
		"no longer exists; to create it again, deploy an infraspec that has worker")
	sameNumbers(w, "4")
}

// Others may change one process during a deploy. norn leaves theirs, and the others go back.
func TestOneProcessChangedByOthers(t *testing.T) {
	t.Parallel()
	w := shop(t)
	set := []string{"set", "image", "deployment/shop-worker", "shop=" + image("other")}
	during(atWatch, set, 5, "kubectl-set changed the Pod template of Deployment shop-worker at ",
		"deploy", "shop", "--image", image("second"))(w)
	same(w, "afterwards", images(w), "shop first 1, shop-worker other 2, shop-nightly first false")
}

// A forge that changes nothing leaves a process that somebody else has changed, even if that fails.
func TestForgeLeavesChangesOfOthers(t *testing.T) {
	t.Parallel()
	w := shop(t)
	w.Kubectl("set", "image", "deployment/shop-worker", "shop="+image("broken"))
	w.Norn("forge", "shop")
	same(w, "after the forge", images(w), "shop first 1, shop-worker broken 2, shop-nightly first false")
}

// A migration that fails touches no process: what runs, runs on unchanged and unmarked.
func TestMigrationFailsBeforeProcesses(t *testing.T) {
	t.Parallel()
	w := shop(t)
	untouched := func() string {
		const fields = "jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.generation} " +
			"{.metadata.annotations}{'\\n'}{end}"
		return w.Kubectl("get", "deployments,cronjobs,replicasets", "-o", fields)
	}
	before := untouched()
	w.WriteApp("shop", shipsThree+"env: {A: b}\nmigrations: {command: [/shop, migrate]}\n")
	expect(w, 1, []string{"deploy", "shop", "--image", image("broken")}, "the migration failed: ")
	same(w, "after the migration", untouched(), before)
	deploys(0, "second")(w)
	same(w, "the second version", images(w), "shop second 1, shop-worker second 2, shop-nightly second false")

	// A rollback points to a snapshot only if norn takes one.
	const hint = "is not undone; norn snapshots list shows the snapshot taken before it"
	if out := expect(w, 0, []string{"rollback", "shop"}, "is not undone"); strings.Contains(out, hint) {
		t.Errorf("the rollback points to a snapshot that does not exist:\n%s", out)
	}
	expect(w, 0, []string{"rollback", "shop"})
	w.WriteApp("shop", shipsThree+"migrations: {command: [/shop, migrate], database: shop}\n")
	expect(w, 0, []string{"rollback", "shop"}, hint)
}

// Of two deploys at once, the second waits for the first. In the end, all processes have its release.
func TestTwoReleasesAtOnce(t *testing.T) {
	t.Parallel()
	w := shop(t)
	deploy := func(version string) []string { return []string{"deploy", "shop", "--image", image(version)} }
	atOnce(w, deploy("second"), deploy("third"), "(norn deploy, since ")
	same(w, "in the end", images(w), "shop third 1, shop-worker third 2, shop-nightly third false")
	same(w, "the history", releases(w), strings.Join([]string{
		"3 third map[main:3 worker:3] verified current",
		"2 second map[main:2 worker:2] verified",
		"1 first map[main:1 worker:1] verified",
	}, "\n"))
}

// To rename a process is to add one and to drop one. The old one ends after the release is verified, and not if the
// release fails.
func TestProcessRenamed(t *testing.T) {
	t.Parallel()
	w := shop(t)
	w.WriteApp("shop", strings.ReplaceAll(shipsThree, "worker:", "mailer:"))
	expect(w, 4, []string{"deploy", "shop", "--image", image("broken-only-mailer")}, "process mailer failed (")
	same(w, "after the failure", images(w), "shop first 1, shop-mailer broken-only-mailer 0, shop-worker first 2, "+
		"shop-nightly first false")
	removal := bed.Fault{Method: http.MethodDelete, Path: "/deployments/shop-worker", Count: 1}
	marks := ""
	removal.Do = func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		const names = "jsonpath={range .items[*]}{.spec.template.spec.containers[0].image} " +
			"{.metadata.annotations}{'\\n'}{end}"
		for line := range strings.Lines(w.Kubectl("get", "replicasets", "-o", names)) {
			if strings.HasPrefix(line, image("second")+" ") {
				marks += line
			}
		}
		next.ServeHTTP(rw, r)
	}
	out, code := bounded(w, disturbed(w, removal), "deploy", "shop", "--image", image("second"))
	if code != 0 || !strings.Contains(out, "Deployment shop-worker deleted: no longer in the infraspec") {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	if strings.Count(marks, "norn/verified.") != 2 {
		t.Errorf("the worker ended before main and mailer were verified:\n%s", marks)
	}
	bed.Eventually(t, watchdog, "the worker is gone", func() bool { return !strings.Contains(images(w), "worker") })
	same(w, "the second version", images(w), "shop second 1, shop-mailer second 2, shop-nightly second false")
	expect(w, 0, []string{"rollback", "shop"}, "process worker was part of revision", "no longer exists",
		"process mailer scaled to 0: it did not exist then")
	sameNumbers(w, "5")
	same(w, "after the rollback", images(w), "shop first 1, shop-mailer second 0, shop-nightly first false")
}
