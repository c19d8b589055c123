package reach

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
)

// inside is a cluster with a Pod and a Service.
type inside struct {
	ready  bool
	status int
	err    error
}

func (c inside) GetPods(context.Context, string, string) ([]corev1.Pod, error) {
	status := corev1.ConditionFalse
	if c.ready {
		status = corev1.ConditionTrue
	}
	conditions := []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
	return []corev1.Pod{{Status: corev1.PodStatus{Conditions: conditions}}}, nil
}

func (c inside) AskService(context.Context, string, string, string) (int, error) {
	return c.status, c.err
}

// outside serves shop.example.com, with a certificate that the returned public trusts.
func outside(t *testing.T, handler http.HandlerFunc) (public, *httptest.Server) {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	return public{
		transport: &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: roots}},
		proxy:     func(*http.Request) (*url.URL, error) { return nil, nil },
		resolve:   func(context.Context, string) ([]string, error) { return []string{"192.0.2.1"}, nil },
	}, server
}

// Each hop that is broken is the last one, and its hint says what to do.
func TestFollow(t *testing.T) {
	whole := inside{ready: true, status: 200}
	routed := func(s State) func(context.Context) Hop {
		return func(context.Context) Hop { return Hop{State: s, Detail: "Gateway edge"} }
	}
	for _, c := range []struct {
		name    string
		cluster inside
		route   State
		change  func(*public)
		answer  int
		last    string // the last hop
		state   State
	}{
		{"all", whole, OK, nil, 200, "Answer: https://shop.example.com/healthz answers 200", OK},
		{"a redirect", whole, OK, nil, 302, "Answer: https://shop.example.com/healthz answers 302", OK},
		{"an unchecked route", whole, Unchecked, nil, 200, "Answer: ", OK},
		{"no Pod", inside{}, OK, nil, 200, "Pods: 0 of 1 ready", Failed},
		{"no endpoints", inside{ready: true, err: errors.New(`no endpoints available for service "shop"`)}, OK, nil, 200,
			"Service: Service shop has no endpoints", Failed},
		{"the app fails", inside{ready: true, status: 500}, OK, nil, 200,
			"Service: shop answers GET /healthz with 500", Failed},
		{"a refused route", whole, Failed, nil, 200, "Route: Gateway edge", Failed},
		{"no record", whole, OK, func(p *public) {
			p.resolve = func(context.Context, string) ([]string, error) { return nil, &net.DNSError{IsNotFound: true} }
		}, 200, "DNS: shop.example.com has no DNS record", Failed},
		{"a certificate of nobody", whole, OK, func(p *public) {
			p.transport.(*http.Transport).TLSClientConfig = &tls.Config{}
		}, 200, "TLS: an authority that this machine does not know", Failed},
		{"nothing listens", whole, OK, func(p *public) {
			p.transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
			}
		}, 200, "TLS: cannot connect to shop.example.com: connection refused", Failed},
		{"the gateway has no Pod", whole, OK, nil, 503, "Answer: https://shop.example.com/healthz answers 503", Failed},
		{"another route answers", whole, OK, nil, 404, "Answer: https://shop.example.com/healthz answers 404", Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _ := outside(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.answer) })
			p.transport.(*http.Transport).TLSClientConfig.ServerName = "example.com" // the certificate's name
			if c.change != nil {
				c.change(&p)
			}
			spec := &infraspec.Spec{App: "shop", Role: infraspec.Webserver, Port: 8080}
			spec.Healthcheck.Path, spec.Hosts.Internal = "/healthz", "shop"
			spec.Hosts.External = infraspec.Names{"shop.example.com"}
			way := Way{Cluster: c.cluster, Namespace: "shops", Spec: spec, Route: routed(c.route), public: p}
			hops := way.Follow(t.Context(), time.Minute)
			last := hops[len(hops)-1]
			if last.State != c.state || !strings.HasPrefix(last.String(), c.last) {
				t.Errorf("%s, state %d, want %q, state %d", last, last.State, c.last, c.state)
			}
			if last.State == Failed && last.Hint == "" && last.Name != "Route" {
				t.Errorf("%s has no hint", last)
			}
		})
	}
}

// A certificate for another name, and one that has expired, are named with what is wrong.
func TestCertificates(t *testing.T) {
	cert := &x509.Certificate{DNSNames: []string{"other.example.com"}, Issuer: pkix.Name{Organization: []string{"A CA"}}}
	cert.NotAfter = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		asked asked
		want  string
	}{
		{asked{err: x509.HostnameError{Certificate: cert, Host: "shop.example.com"}},
			"the certificate is for other.example.com, not for shop.example.com"},
		{asked{err: x509.CertificateInvalidError{Cert: cert, Reason: x509.Expired}},
			"is valid from 0001-01-01 to 2026-03-01"},
		{asked{tls: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}},
			"certificate by A CA, valid until 2026-03-01; it expires in 3 days"},
		{asked{err: context.DeadlineExceeded}, "shop.example.com does not answer in time"},
		{asked{err: &net.OpError{Op: "proxyconnect", Err: errors.New("refused")}},
			"cannot connect through the proxy: refused"},
	} {
		got := judgeTLS("shop.example.com", c.asked, cert.NotAfter.Add(-3*24*time.Hour))
		if !strings.Contains(got.Detail, c.want) || got.State == Failed && got.Hint == "" {
			t.Errorf("%q (hint %q), want %q", got.Detail, got.Hint, c.want)
		}
	}
}

// An Ingress without a certificate is asked over HTTP, and a proxy resolves names itself.
func TestWithoutTLS(t *testing.T) {
	spec := &infraspec.Spec{Route: infraspec.Route{Ingress: "nginx"}}
	at := URL(spec, "shop.example.com")
	if at.String() != "http://shop.example.com" {
		t.Errorf("asks %s", at.String())
	}
	if names := len((public{}).hops(at, "/")); names != 2 {
		t.Errorf("%d hops, want DNS and the answer", names)
	}
	proxied := public{proxy: func(*http.Request) (*url.URL, error) { return &url.URL{Host: "proxy:3128"}, nil }}
	if h := proxied.dns(t.Context(), at); h.State != Unchecked || !strings.Contains(h.Detail, "the proxy proxy:3128") {
		t.Errorf("%+v", h)
	}
}
