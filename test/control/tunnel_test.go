package control

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"norn/test/bed"
)

// All apps of a cluster share one tunnel configuration, so these tests run in sequence on their own control plane.
func TestOneTunnel(t *testing.T) {
	t.Parallel()
	c := bed.OwnControlPlane(t)
	t.Run("fifty forges", func(t *testing.T) { fiftyForges(t, c) })
	t.Run("killed at every write", func(t *testing.T) { killedAtEveryWrite(t, c) })
}

// Fifty concurrent forges add all their rules to the tunnel configuration, and keep everything else.
func fiftyForges(t *testing.T, on *bed.Cluster) {
	w := bed.New(t, on)
	const text = `# The tunnel.
tunnel: norn # its name
ingress:
  # By hand.
  - hostname: hand.example.com
    service: http://hand:80
  # The rest.
  - service: http_status:404
`
	w.WithTunnel(text)
	const n = 50
	var running sync.WaitGroup
	for i := range n {
		name := fmt.Sprintf("app-%02d", i)
		w.WriteApp(name, fmt.Sprintf(
			"app: %s\nrole: webserver\nport: 80\nhosts: {internal: %[1]s, external: %[1]s.example.com}\n", name))
		running.Go(func() {
			if out, err := w.Command(w.Kubeconfig, "forge", name).CombinedOutput(); err != nil {
				t.Errorf("norn forge %s: %v\n%s", name, err, out)
			}
		})
	}
	running.Wait()
	got := w.Cluster.Kubectl(t, "-n", "cloudflared", "get", "configmap", "cloudflared",
		"-o", `jsonpath={.data.config\.yaml}`)
	for i := range n {
		const rule = "  - hostname: app-%02d.example.com\n    service: http://app-%02[1]d.%s.svc.cluster.local:80\n"
		want := fmt.Sprintf(rule, i, w.Namespace)
		if strings.Count(got, want) != 1 {
			t.Errorf("app-%02d has %d rules", i, strings.Count(got, want))
		}
	}
	head, tail, _ := strings.Cut(text, "  # The rest.\n")
	lines := strings.Count(text, "\n") + 2*n
	whole := strings.HasPrefix(got, head) && strings.HasSuffix(got, "  # The rest.\n"+tail)
	if !whole || strings.Count(got, "\n") != lines {
		t.Errorf("other parts have changed:\n%s", got)
	}
}
