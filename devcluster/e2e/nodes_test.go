package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"norn/devcluster/internal/registry"
)

// shop is a Deployment with a pod on each node that is not tainted against it, and its Service.
const shop = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      nodeSelector: {kubernetes.io/arch: amd64}
      tolerations: [{key: gpu, operator: Exists}]
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: kubernetes.io/hostname
        whenUnsatisfiable: DoNotSchedule
        labelSelector: {matchLabels: {app: shop}}
      containers:
      - name: shop
        image: IMAGE
        env: [{name: PORT, value: "8080"}]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
`

// loadClient builds testdata/apps/load, and pushes it as an image too, whose entry point is /app.
func (c *cluster) loadClient(i info) (binary, image string) {
	c.t.Helper()
	binary = filepath.Join(c.t.TempDir(), "load")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = filepath.Join("..", "..", "testdata", "apps", "load")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		c.t.Fatalf("build the load client: %v\n%s", err, out)
	}
	image = i.Registry + "/load:1"
	if err := registry.PushBinary(context.Background(), image, binary); err != nil {
		c.t.Fatal(err)
	}
	return binary, image
}

// deployShop deploys the shop and waits until all its pods are available.
func (c *cluster) deployShop(image string) {
	c.t.Helper()
	c.apply(strings.ReplaceAll(shop, "IMAGE", image))
	c.kubectl("rollout", "status", "deployment/shop", "--timeout=2m")
}

// until waits until a condition holds.
func (c *cluster) until(within time.Duration, condition string, holds func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("not within %s: %s\n%s", within, condition, c.run("node", "list"))
		}
	}
}

// pods returns the names of the shop's pods, by node.
func (c *cluster) pods() map[string]string {
	c.t.Helper()
	out := c.kubectl("get", "pods", "-l", "app=shop", "-o",
		`jsonpath={range .items[*]}{.spec.nodeName} {.metadata.name}{"\n"}{end}`)
	pods := map[string]string{}
	for line := range strings.Lines(out) {
		if node, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			pods[node] = name
		}
	}
	return pods
}

// answers checks that all requests of the load client were answered, and by exactly these pods.
func (c *cluster) answers(output string, pods map[string]string) {
	c.t.Helper()
	var count struct{ Answered, Failed map[string]int }
	if err := json.Unmarshal([]byte(output), &count); err != nil {
		c.t.Fatalf("%v: %s", err, output)
	}
	var want, got []string
	for _, pod := range pods {
		want = append(want, pod)
	}
	for pod := range count.Answered {
		got = append(got, pod)
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(count.Failed) > 0 || !slices.Equal(want, got) {
		c.t.Errorf("answered by %v, want %v; failed: %v", got, want, count.Failed)
	}
}

// answeredBy returns the number of pods that have answered the load client.
func (c *cluster) answeredBy(output string) int {
	c.t.Helper()
	var count struct{ Answered map[string]int }
	if err := json.Unmarshal([]byte(output), &count); err != nil {
		c.t.Fatalf("%v: %s", err, output)
	}
	return len(count.Answered)
}

func (c *cluster) ready(node string) string {
	return c.kubectl("get", "node", node, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
}

func TestNodes(t *testing.T) {
	c := newCluster(t)
	i := c.upWith("--nodes", "3", "--dns", "--hollow", "arm64",
		"--label", "node-2:disk=ssd", "--taint", "node-3:gpu=yes:NoSchedule")
	binary, image := c.loadClient(i)
	c.deployShop(image)
	pods := c.pods()
	if len(pods) != 3 || pods["hollow-1"] != "" {
		t.Fatalf("the pods are not on three nodes: %v", pods)
	}
	if got := c.kubectl("get", "nodes", "-l", "disk=ssd", "-o", "name"); got != "node/node-2\n" {
		t.Errorf("labelled: %q", got)
	}
	if taint := c.kubectl("get", "node", "node-3", "-o", "jsonpath={.spec.taints[0]}"); !strings.Contains(taint, `"gpu"`) {
		t.Errorf("node-3's taint: %q", taint)
	}
	if got := c.kubectl("get", "node", "hollow-1", "-o", "jsonpath={.status.nodeInfo.architecture}"); got != "arm64" {
		t.Errorf("the hollow node's architecture: %q", got)
	}

	t.Log("a Service, by name, from a pod and from a node to pods on every node")
	// A kube-proxy refuses connections until it has received the endpoints.
	for _, node := range []string{"node", "node-2"} {
		c.until(time.Minute, "the Service is reachable from "+node, func() bool {
			output, err := c.command("exec", "--node", node, "--",
				binary, "--requests", "50", "--every", "0", "--keepalive=false", "http://shop.default").Output()
			return err == nil && c.answeredBy(string(output)) == len(pods)
		})
	}
	for _, url := range []string{"http://shop", "http://shop.default.svc.cluster.local"} {
		for _, keepAlive := range []string{"--keepalive=true", "--keepalive=false"} {
			args := []string{"--requests", "100", "--workers", "8", "--for", "1m", "--every", "0", keepAlive, url}
			if keepAlive == "--keepalive=true" {
				c.kubectl(append([]string{"exec", pods["node"], "--", "/app"}, args...)...) // a connection stays with its pod
				continue
			}
			c.answers(c.kubectl(append([]string{"exec", pods["node"], "--", "/app"}, args...)...), pods)
			c.answers(c.run(append([]string{"exec", "--node", "node-2", "--", binary}, args...)...), pods)
		}
	}
	unknown := c.command("exec", "--", binary, "--requests", "1", "http://nowhere.default.svc.cluster.local")
	if out, err := unknown.CombinedOutput(); err == nil || !strings.Contains(string(out), "no such host") {
		t.Errorf("a name that does not exist: %v\n%s", err, out)
	}

	t.Log("frozen: not Ready, and its pod stays Terminating")
	c.run("node", "freeze", "node-2")
	frozen := pods["node-2"]
	c.kubectl("delete", "pod", frozen, "--wait=false")
	c.until(2*time.Minute, "node-2 is not Ready", func() bool { return c.ready("node-2") == "Unknown" })
	if out := c.kubectl("get", "pod", frozen, "-o", "jsonpath={.metadata.deletionTimestamp}"); out == "" {
		t.Error("the pod on the frozen node is not Terminating")
	}
	c.run("node", "thaw", "node-2")
	c.until(time.Minute, "the thawed node is Ready", func() bool { return c.ready("node-2") == "True" })
	c.kubectl("wait", "--for=delete", "pod/"+frozen, "--timeout=1m")

	t.Log("stopped: its containers are dead; started: they run again")
	c.run("node", "stop", "node-3")
	if out := c.run("node", "list"); !strings.Contains(out, "node-3    off") {
		t.Errorf("node list:\n%s", out)
	}
	c.run("node", "start", "node-3")
	c.until(time.Minute, "the pod has been restarted", func() bool {
		const status = "jsonpath={.status.containerStatuses[0].restartCount},{.status.containerStatuses[0].ready}"
		return c.kubectl("get", "pod", pods["node-3"], "-o", status) == "1,true"
	})
}

// A control plane without nodes.
func TestControlPlane(t *testing.T) {
	c := newCluster(t)
	c.upWith("--control-plane")
	c.kubectl("create", "deployment", "shop", "--image=example.com/shop:1")
	c.until(30*time.Second, "the Deployment's pod waits for a node", func() bool {
		return strings.Contains(c.kubectl("get", "pods", "-l", "app=shop"), "Pending")
	})
	if out := c.kubectl("get", "nodes", "-o", "name"); out != "" {
		t.Errorf("nodes: %q", out)
	}
	out, err := c.command("up", "--nodes", "2").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "running with other settings") {
		t.Errorf("up with other settings: %v\n%s", err, out)
	}
}

// Invalid flags are reported before anything starts.
func TestUpRejects(t *testing.T) {
	c := newCluster(t)
	for flags, want := range map[string]string{
		"--nodes=99":                 "invalid --nodes 99",
		"--label=node-2:a=b":         "no node node-2; the nodes are node",
		"--label=node":               "want NODE:KEY=VALUE",
		"--taint=node:a=b:Sometimes": "one of the effects NoSchedule",
	} {
		out, err := c.command("up", flags).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("up %s: %v\n%s", flags, err, out)
		}
	}
	if left := c.traces(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
