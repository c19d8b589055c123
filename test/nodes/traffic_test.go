package nodes

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"norn/test/bed"
)

const appName = "shop"

// shopApp ends at once on SIGTERM.
const shopApp = `app: shop
role: webserver
port: 8080
healthcheck: /healthz
replicas: 3
hosts: {internal: shop}
env: {PORT: "8080"}
`

// processesApp has a worker and a schedule too.
const processesApp = shopApp + `processes:
  worker: {replicas: 2, env: {PORT: "8081"}}
  nightly: {role: cron, command: [/moody, tell], schedule: "0 3 * * *"}
`

const ingress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: traefik
  rules:
  - host: HOST
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
`

// shop is an app with three replicas that answers inside the cluster and through the gateway.
type shop struct {
	*bed.Workspace
	host     string // its name at the gateway
	versions int
}

func newShop(t *testing.T, infraspec string) *shop {
	t.Helper()
	w := bed.New(t, bed.Nodes(t))
	s := &shop{Workspace: w, host: w.Namespace + ".test"}
	w.WriteApp(appName, infraspec)
	s.deploy()
	startClientPod(w)
	if w.Gateway == "" {
		return s
	}
	route := w.KubectlCommand("apply", "-f", "-")
	route.Stdin = strings.NewReader(strings.Replace(ingress, "HOST", s.host, 1))
	bed.Run(t, route)
	bed.Eventually(t, time.Minute, "the gateway leads to the app", func() bool { return s.answers(t) })
	return s
}

// answers reports whether the app answers a request through the gateway.
func (s *shop) answers(t *testing.T) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Gateway+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = s.host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// deploy deploys another version.
func (s *shop) deploy(flags ...string) {
	s.T.Helper()
	s.versions++
	image := s.MoodyImage(s.T, fmt.Sprint("serve ", s.versions))
	s.Norn(append([]string{"deploy", appName, "--image", image}, flags...)...)
}

// deployBroken deploys a version that fails, so norn restores the previous one.
func (s *shop) deployBroken() {
	s.T.Helper()
	s.fails(s.MoodyImage(s.T, "exit 3"))
}

// breakWorker deploys a version of which only the worker fails, so norn restores all processes.
func (s *shop) breakWorker() {
	s.T.Helper()
	s.WriteApp(appName, strings.Replace(processesApp, `"8081"`, `"8081", MOOD: "exit 3"`, 1))
	s.versions++
	s.fails(s.MoodyImage(s.T, fmt.Sprint("serve ", s.versions)))
	s.WriteApp(appName, processesApp)
}

// fails deploys an image, which must fail.
func (s *shop) fails(image string, flags ...string) {
	s.T.Helper()
	cmd := s.Command(s.Kubeconfig, append([]string{"deploy", appName, "--image", image}, flags...)...)
	if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 4 {
		s.T.Fatalf("exit code %d, want 4:\n%s", cmd.ProcessState.ExitCode(), out)
	}
}

// drain drains the node on which most Pods of the app run, and returns when all replicas run elsewhere.
func (s *shop) drain() {
	s.T.Helper()
	pods := map[string]int{}
	for node := range strings.FieldsSeq(s.Kubectl("get", "pods", "-l", "app="+appName, "-o",
		`jsonpath={.items[*].spec.nodeName}`)) {
		pods[node]++
	}
	most := ""
	for node, n := range pods {
		if n > pods[most] {
			most = node
		}
	}
	s.T.Cleanup(func() { s.Cluster.Kubectl(s.T, "uncordon", most) })
	s.Cluster.Kubectl(s.T, "drain", most, "--pod-selector", "app="+appName, "--timeout=3m")
	s.Kubectl("rollout", "status", "deployment/"+appName, "--timeout=2m")
}

// onlyNewPods waits until the Pods of earlier versions have ended.
func (s *shop) onlyNewPods() {
	s.T.Helper()
	bed.Eventually(s.T, 3*time.Minute, "only three Pods are left", func() bool {
		return len(strings.Fields(s.Kubectl("get", "pods", "-l", "app="+appName, "-o", "name"))) == 3
	})
}

// rollouts returns how many versions TestNoLostRequest deploys.
func rollouts(t *testing.T) int {
	t.Helper()
	text := os.Getenv("NORN_TEST_ROLLOUTS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("invalid NORN_TEST_ROLLOUTS %q", text)
	}
	return n
}

// No request is lost while norn, or a drained node, replaces the Pods of an app that ends at once on SIGTERM.
func TestNoLostRequest(t *testing.T) {
	s := newShop(t, shopApp)
	s.losesNone(t, []replacement{
		{"deploy", rollouts(t), func() { s.deploy() }},
		{"restart", 1, func() { s.Norn("restart", appName) }},
		{"rollback", 1, func() { s.Norn("rollback", appName) }},
		{"failing deploy", 1, s.deployBroken},
		{"drain", 1, s.drain},
	})
}

// No request is lost while norn replaces the Pods of all processes, or takes them back because a worker fails.
func TestNoLostRequestOfProcesses(t *testing.T) {
	s := newShop(t, processesApp)
	s.losesNone(t, []replacement{
		{"deploy", 1, func() { s.deploy() }},
		{"failing worker", 1, s.breakWorker},
		{"rollback", 1, func() { s.Norn("rollback", appName) }},
	})
}

// replacement replaces an app's Pods.
type replacement struct {
	name  string
	times int
	do    func()
}

// losesNone does each replacement while clients send requests.
func (s *shop) losesNone(t *testing.T, all []replacement) {
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			s.T = t
			clients := startClients(t, s.Workspace, s.host)
			for range c.times {
				c.do()
				s.onlyNewPods()
			}
			clients.stop()
		})
	}
}
