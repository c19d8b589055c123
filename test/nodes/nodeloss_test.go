package nodes

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"norn/test/bed"
)

// lost is the node that the test loses.
const lost = "node-2"

// TestNodeLoss runs commands while a node is frozen, and while it is off. The node costs no version: rollouts that can
// complete do, the others continue in the cluster, and none is marked as failed or restored.
func TestNodeLoss(t *testing.T) {
	for _, c := range []struct{ name, down, up string }{{"frozen", "freeze", "thaw"}, {"off", "stop", "start"}} {
		t.Run(c.name, func(t *testing.T) { loseNode(t, c.down, c.up) })
	}
}

// loseNode loses a node during a rollout, and gets it back at the end. down and up are actions of a node.
func loseNode(t *testing.T, down, up string) {
	cluster := bed.OwnNodes(t)
	l := &loss{bed.New(t, cluster)}
	image := cluster.MoodyImage(t, "well")
	l.schedule(false) // the claims are used on the node that is lost
	for _, app := range []string{"hold", "gone"} {
		l.WriteApp(app, claimApp(app))
		l.says(0, "rollout done", "deploy", app, "--image", image)
	}
	l.schedule(true)
	l.WriteApp("web", webApp)
	l.WriteApp("work", "app: work\nrole: worker\nreplicas: 3\nenv: {PORT: \"8080\"}\n")
	for _, app := range []string{"web", "work"} {
		l.says(0, "rollout done", "deploy", app, "--image", image)
	}

	cluster.Node(t, down, lost)
	l.schedule(false)
	for _, app := range []string{"web", "work"} {
		l.says(1, `continues in the cluster.*node node-2 has not accepted Pod `+app+`-`, "restart", app, "--timeout", "10s")
	}
	l.schedule(true)
	cluster.AwaitNode(t, lost, false)
	for _, c := range []struct {
		name string
		code int
		says string
		args []string
	}{
		{"restart", 1, `the rollout of hold continues in the cluster.*old Pod hold-\S+ on node node-2, which is not ready, ` +
			`to end; the node holds claim hold-data`, []string{"restart", "hold", "--timeout", "10s"}},
		{"status", 0, "node node-2, which is not ready", []string{"status", "hold"}},
		{"logs", 1, `the log of hold-\S+ cannot be read: node node-2 is not ready`, []string{"logs", "hold"}},
		{"teardown", 1, `waiting for Pod gone-\S+ to end; not ready: node node-2`,
			[]string{"teardown", "gone", "--yes", "--timeout", "10s"}},
	} {
		t.Run(c.name, func(t *testing.T) { l.says(c.code, c.says, c.args...) })
	}
	next := cluster.MoodyImage(t, "well again")
	for _, app := range []string{"web", "work"} {
		l.says(0, `3 of 3 Pods available; .*still terminating: .*node-2 \(not ready\) for \d+`,
			"deploy", app, "--image", next)
		l.says(0, "rollout done", "rollback", app, "--yes")
	}

	cluster.Node(t, up, lost)
	cluster.AwaitNode(t, lost, true)
	l.says(0, "rollout done", "restart", "hold")
	l.says(0, "Workload", "teardown", "gone", "--yes")
	for _, app := range []string{"web", "work", "hold"} {
		if out, _ := l.run("history", app); strings.Contains(out, "failed") {
			t.Errorf("a version is marked as failed:\n%s", out)
		}
	}
}

type loss struct{ *bed.Workspace }

const webApp = `app: web
role: webserver
port: 8080
healthcheck: /healthz
replicas: 3
env: {PORT: "8080"}
`

func claimApp(name string) string {
	return fmt.Sprintf(`app: %s
role: webserver
port: 8080
healthcheck: /healthz
env: {PORT: "8080"}
volumes: [{name: data, mountPath: /data, size: 1Mi}]
`, name)
}

// schedule allows or forbids new Pods on the nodes that are not lost.
func (l *loss) schedule(allowed bool) {
	verb := "cordon"
	if allowed {
		verb = "uncordon"
	}
	l.Cluster.Kubectl(l.T, verb, "node", "node-3")
}

// says runs norn, and checks its exit code and its output.
func (l *loss) says(code int, want string, args ...string) {
	l.T.Helper()
	began := time.Now()
	out, got := l.run(args...)
	if got != code || !regexp.MustCompile("(?s)"+want).MatchString(out) {
		l.T.Errorf("norn %s: exit code %d, want %d and %q:\n%s", strings.Join(args, " "), got, code, want, out)
	}
	l.T.Logf("norn %s: %d after %s\n%s", strings.Join(args, " "), got, time.Since(began).Round(time.Second), out)
}

func (l *loss) run(args ...string) (out string, code int) {
	l.T.Helper()
	data, err := l.Command(l.Kubeconfig, args...).CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(data), exit.ExitCode()
	}
	if err != nil {
		l.T.Fatal(err)
	}
	return string(data), 0
}
