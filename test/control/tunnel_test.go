package control

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"

	"norn/test/bed"
)

// All apps of a cluster share one tunnel configuration, so these tests run in sequence on their own control plane.
func TestOneTunnel(t *testing.T) {
	t.Parallel()
	c := bed.OwnControlPlane(t)
	t.Run("many forges", func(t *testing.T) { manyForges(t, c) })
	t.Run("killed at every write", func(t *testing.T) { killedAtEveryWrite(t, c) })
	t.Run("unusual layouts", func(t *testing.T) { unusualLayouts(t, c) })
}

// Whatever is in the configuration, forge --adopt and teardown change only the app's rule in it, or refuse and change
// nothing. cloudflared can read the result.
func unusualLayouts(t *testing.T, on *bed.Cluster) {
	w := bed.New(t, on)
	w.WithTunnel("")
	w.WriteApp("tun", "app: tun\nrole: webserver\nport: 80\nhosts: {internal: tun, external: tun.example.com}\n")
	for _, c := range []struct {
		name, text string
		exit       int
		said, want string // want of the configuration, which teardown restores but for the rule
	}{
		{
			"rule without a service", "ingress:\n  - hostname: tun.example.com\n  - service: http_status:404\n",
			5, "it has no service", "",
		},
		{
			"empty service", "ingress:\n  - hostname: tun.example.com\n    service:\n  - service: http_status:404\n",
			0, "", "  - hostname: tun.example.com\n    service: http://tun.",
		},
		{
			"anchor on the list", "ingress: &l [{service: 'http_status:404'}]\nx: *l\n",
			1, "norn cannot change its rule alone", "",
		},
		{
			"null in a flow list", "ingress: [{hostname: a.example.com, service: 'http://a:80', originRequest: }]\n",
			0, "", "originRequest: null}",
		},
		{
			"not of cloudflared", "ingress:\n  - hostname: a.example.com\n    service: [a]\n",
			1, "cloudflared cannot read it", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			on.Kubectl(t, "-n", "cloudflared", "delete", "configmap", "cloudflared")
			on.Kubectl(t, "-n", "cloudflared", "create", "configmap", "cloudflared", "--from-literal=config.yaml="+c.text)
			for _, command := range []string{"diff", "forge"} {
				run := w.Command(w.Kubeconfig, command, "tun", "--adopt")
				out, _ := run.CombinedOutput()
				if code := run.ProcessState.ExitCode(); code != c.exit || !strings.Contains(string(out), c.said) {
					t.Errorf("norn %s ends with %d, want %d and %q:\n%s", command, code, c.exit, c.said, out)
				}
			}
			got := tunnelText(t, on)
			if c.exit != 0 && got != c.text || !strings.Contains(got, c.want) {
				t.Errorf("the configuration is\n%s", got)
			}
			if out, err := w.Command(w.Kubeconfig, "teardown", "tun", "--yes").CombinedOutput(); err != nil {
				t.Errorf("norn teardown: %v\n%s", err, out)
			}
			var read struct {
				Ingress []struct{ Hostname, Service string }
			}
			left := tunnelText(t, on)
			if err := yaml.Unmarshal([]byte(left), &read); err != nil && c.exit == 0 {
				t.Errorf("cloudflared cannot read it: %v\n%s", err, left)
			}
			if c.exit == 0 && strings.Contains(left, "tun.example.com") {
				t.Errorf("teardown leaves the rule:\n%s", left)
			}
		})
	}
}

// tunnelText returns cloudflared's configuration.
func tunnelText(t *testing.T, on *bed.Cluster) string {
	t.Helper()
	return on.Kubectl(t, "-n", "cloudflared", "get", "configmap", "cloudflared", "-o", `jsonpath={.data.config\.yaml}`)
}

// Concurrent forges add all their rules to the tunnel configuration, and keep everything else.
func manyForges(t *testing.T, on *bed.Cluster) {
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
	n := 20
	if bed.All() {
		n = 50
	}
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
	got := tunnelText(t, w.Cluster)
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
