package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// needs skips the test if an optional program is not built.
func (c *cluster) needs(program string) {
	c.t.Helper()
	if _, err := os.Stat(filepath.Join(filepath.Dir(c.bin), program)); err != nil {
		c.t.Skipf("%s is not built: run make test-all", program)
	}
}

const routes = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: public, namespace: edge}]
  hostnames: [shop.example.com]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: traefik
  rules:
  - host: shop.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
`

// apply applies manifests.
func (c *cluster) apply(text string) {
	c.t.Helper()
	manifest := filepath.Join(c.t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(manifest, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
	c.kubectl("apply", "--filename", manifest)
}

// A route and an Ingress make pods on all nodes reachable from this machine, by host name.
func TestGateway(t *testing.T) {
	c := newCluster(t)
	c.needs("traefik")
	i := c.upWith("--gateway", "--nodes", "3")
	binary, image := c.loadClient(i)
	c.deployShop(image)
	c.apply(routes)
	status := func(host string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+i.Gateway+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	for _, host := range []string{"shop.example.com", "shop.test"} {
		c.until(time.Minute, host+" leads to every pod", func() bool {
			said, err := exec.Command(binary, "--requests", "60", "--every", "0", "--host", host, "http://"+i.Gateway).Output()
			return err == nil && c.answeredBy(string(said)) == 3
		})
		out, err := exec.Command(binary, "--requests", "60", "--every", "0", "--host", host, "http://"+i.Gateway).Output()
		if err != nil {
			t.Errorf("%s: %v", host, err)
		}
		c.answers(string(out), c.pods())
	}
	if got := status("nobody.test"); got != http.StatusNotFound {
		t.Errorf("unknown host: status %d", got)
	}
	const conditions = "jsonpath={.status.parents[0].conditions[*].status}"
	if got := c.kubectl("get", "httproute", "shop", "-o", conditions); got != "True True" {
		t.Errorf("the route's conditions: %q", got)
	}
	if got := c.kubectl("get", "ingress", "shop", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}"); got == "" {
		t.Error("the Ingress has no address")
	}
}

const autoscaled = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: busy}
spec:
  selector: {matchLabels: {app: busy}}
  template:
    metadata: {labels: {app: busy}}
    spec:
      containers:
      - name: busy
        image: IMAGE
        env: [{name: PORT, value: "8080"}]
        resources: {requests: {cpu: 20m}}
---
apiVersion: v1
kind: Service
metadata: {name: busy}
spec: {selector: {app: busy}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: busy}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: busy}
  maxReplicas: 2
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
`

// An autoscaler scales a busy Deployment.
func TestMetrics(t *testing.T) {
	c := newCluster(t)
	c.needs("metrics-server")
	i := c.upWith("--metrics")
	binary, image := c.loadClient(i)
	c.apply(strings.ReplaceAll(autoscaled, "IMAGE", image))
	c.kubectl("rollout", "status", "deployment/busy", "--timeout=1m")
	ip := c.kubectl("get", "service", "busy", "-o", "jsonpath={.spec.clusterIP}")
	load := c.command("exec", "--", binary, "--every", "0", "--for", "5m", "http://"+ip)
	if err := load.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = load.Process.Kill()
		_ = load.Wait() // it was killed
	})
	c.until(3*time.Minute, "the Deployment has two replicas", func() bool {
		return c.kubectl("get", "deployment", "busy", "-o", "jsonpath={.status.readyReplicas}") == "2"
	})
}
