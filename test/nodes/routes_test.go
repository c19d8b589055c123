package nodes

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"norn/test/bed"
)

// The routes of the gateway. The certificate of the test's authority is that of the Gateway, and of the host.
const (
	byGateway = "{gateway: edge/public}"
	byIngress = "{ingress: traefik, tls: shop-tls}"
)

// routedApp returns an app whose public host is routed by norn.
func routedApp(host, route string) string {
	return strings.Replace(shopApp, "{internal: shop}", "{internal: shop, external: "+host+"}\nroute: "+route, 1)
}

// newRouted returns an app that answers through the gateway with TLS, by a route of its own.
func newRouted(t *testing.T, route string) *shop {
	t.Helper()
	w := bed.New(t, bed.Nodes(t))
	s := &shop{Workspace: w, host: w.Namespace + ".test"}
	certify(w, "shop-tls")
	w.WriteApp(appName, routedApp(s.host, route))
	s.deploy()
	bed.Eventually(t, time.Minute, "the gateway leads to the app", func() bool { return s.answers(t) })
	return s
}

// certify creates a Secret with the certificate of the cluster's gateway, which is that of all names in test.
func certify(w *bed.Workspace, name string) {
	w.T.Helper()
	pki := w.Dir + "/pki/gateway."
	w.Kubectl("create", "secret", "tls", name, "--cert", pki+"crt", "--key", pki+"key")
}

// No request from outside is lost while norn replaces the Pods behind a route, holds a canary, or takes one back.
func TestRoutes(t *testing.T) {
	for name, route := range map[string]string{"gateway": byGateway, "ingress": byIngress} {
		t.Run(name, func(t *testing.T) {
			s := newRouted(t, route)
			for _, c := range []replacement{
				{"deploy", 1, func() { s.deploy() }},
				{"failing deploy", 1, s.deployBroken},
				{"canary", 1, func() { s.deploy("--canary", "--for", "5s") }},
				{"failing canary", 1, func() { s.fails(s.MoodyImage(s.T, "exit 4"), "--canary", "--for", "1m") }},
				{"canary continued", 1, func() { s.deploy("--canary=50%"); s.Norn("deploy", appName, "--continue") }},
				{"canary taken back", 1, func() { s.deploy("--canary"); s.Norn("rollback", appName) }},
				{"rollback", 1, func() { s.Norn("rollback", appName) }},
			} {
				t.Run(c.name, func(t *testing.T) {
					s.T = t
					clients := startOutside(t, s.Workspace, s.host, "/")
					c.do()
					s.onlyNewPods()
					clients.stop()
				})
			}
		})
	}
}

// A route moves from an Ingress to a Gateway and back under traffic.
func TestRouteMoves(t *testing.T) {
	s := newRouted(t, byIngress)
	for _, route := range []string{byGateway, byIngress} {
		clients := startOutside(t, s.Workspace, s.host, "/")
		s.WriteApp(appName, routedApp(s.host, route))
		s.Norn("forge", appName)
		clients.stop()
	}
	if left := s.Kubectl("get", "ingresses,httproutes", "-o", "name"); left != "ingress.networking.k8s.io/shop\n" {
		t.Errorf("the routes are %q", left)
	}
}

// Of ten Pods, one has a version that soon answers a path with 500. verify finds it while the Pod gets its share of the
// requests, and norn ends it.
func TestCanaryShare(t *testing.T) {
	s := newRouted(t, byGateway)
	s.WriteApp(appName, strings.Replace(routedApp(s.host, byGateway), "replicas: 3", "replicas: 10", 1)+
		"verify: [/moody, smoke]\n")
	s.deploy()
	clients := startOutside(t, s.Workspace, s.host, "/checkout")
	begin := time.Now()
	s.fails(s.MoodyImage(t, "tire"), "--canary", "--for", "5m")
	t.Logf("the deploy took %s, with the Pod for verify", time.Since(begin).Round(time.Second))
	for name, n := range clients.counts() {
		bad, other := 0, map[string]int{}
		for reason, times := range n.Failed {
			if strings.HasPrefix(reason, "500 ") {
				bad += times
			} else {
				other[reason] = times
			}
		}
		t.Logf("%s: %d requests, %d bad answers (%.1f %%)", name, n.Asked, bad, 100*float64(bad)/float64(n.Asked))
		if len(other) > 0 || bad == 0 || bad*10 > n.Asked {
			t.Errorf("%s: of %d requests, %d had a bad answer, and others failed: %v", name, n.Asked, bad, other)
		}
	}
}

// broken is a route that a controller does not accept, and what norn says.
type broken struct {
	name    string
	route   string // NS is the namespace
	objects string // to create before; NS is the namespace
	code    int
	says    []string
}

// listener returns a Gateway in the namespace with one listener.
func listener(name, fields string) string {
	return fmt.Sprintf(`apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: %s, namespace: NS}
spec:
  gatewayClassName: traefik
  listeners: [{name: one, %s}]
`, name, fields)
}

var brokenRoutes = []broken{
	{"no IngressClass", "{ingress: nosuch}", "", 1,
		[]string{"IngressClass nosuch does not exist", "one of the cluster's classes: traefik"}},
	{"no Gateway", "{gateway: edge/nosuch}", "", 1, []string{"Gateway nosuch in namespace edge does not exist"}},
	{"no listener of the name", "{gateway: edge/public, section: nosuch}", "", 1,
		[]string{"Gateway edge/public has no listener nosuch", "one of its listeners: http, https"}},
	{"no listener for the host", "{gateway: NS/narrow}",
		listener("narrow", `port: 80, protocol: HTTP, hostname: "*.example.org"`), 1,
		[]string{"Accepted is False: NoMatchingListenerHostname", "add a listener for NS.test to Gateway NS/narrow"}},
	{"namespace not allowed", "{gateway: NS/closed}", listener("closed", `port: 80, protocol: HTTP, `+
		`allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: other}}}}`), 1,
		[]string{"Accepted is False: NotAllowedByListeners", "allow routes of this namespace"}},
	{"no certificate", "{gateway: NS/bare}", listener("bare", `port: 443, protocol: HTTPS, `+
		`tls: {mode: Terminate, certificateRefs: [{name: nosuch}]}`), 1,
		[]string{"listener one: ResolvedRefs is False: InvalidCertificateRef", "create the Secret"}},
	{"certificate of another namespace", "{gateway: NS/foreign}", listener("foreign", `port: 443, protocol: HTTPS, `+
		`tls: {mode: Terminate, certificateRefs: [{name: public-tls, namespace: edge}]}`), 1,
		[]string{"listener one: ResolvedRefs is False: RefNotPermitted", "ReferenceGrant"}},
	{"no TLS Secret", "{ingress: traefik, tls: nosuch}", "", 0, []string{"warning: Secret nosuch does not exist"}},
	{"host taken", "{ingress: traefik}", strings.Replace(strings.Replace(ingress, "HOST", "NS.test", 1),
		"metadata: {name: shop}", "metadata: {name: theirs}", 1), 5,
		[]string{"NS.test is taken: Ingress theirs in namespace NS"}},
}

// Each condition that keeps a route from working has the controller's reason and a hint.
func TestBrokenRoutes(t *testing.T) {
	for _, c := range brokenRoutes {
		t.Run(c.name, func(t *testing.T) {
			w := bed.New(t, bed.Nodes(t))
			in := func(text string) string { return strings.ReplaceAll(text, "NS", w.Namespace) }
			if c.objects != "" {
				create := w.KubectlCommand("apply", "-f", "-")
				create.Stdin = strings.NewReader(in(c.objects))
				bed.Run(t, create)
			}
			w.WriteApp(appName, routedApp(w.Namespace+".test", in(c.route)))
			out, code := said(w.Command(w.Kubeconfig, "forge", appName, "--timeout", "30s"))
			t.Logf("exit code %d\n%s", code, out)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, text := range c.says {
				if !strings.Contains(out, in(text)) {
					t.Errorf("norn does not say %q", in(text))
				}
			}
		})
	}
}

// said runs a command, and returns its output and its exit code.
func said(cmd *exec.Cmd) (string, int) {
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}
