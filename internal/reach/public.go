package reach

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// public asks public hosts. Its zero value asks through the proxy of the environment, if it sets one.
type public struct {
	transport http.RoundTripper                                        // nil is the default
	proxy     func(*http.Request) (*url.URL, error)                    // nil is that of the environment
	resolve   func(ctx context.Context, host string) ([]string, error) // nil is that of the machine
}

// asked is the answer to one request, which both the TLS hop and the last hop report.
type asked struct {
	status int
	tls    *tls.ConnectionState
	err    error
}

// hops returns the hops of requests to one public host. With TLS, the last two share a request.
func (p public) hops(at url.URL, path string) []hop {
	target := at.String() + path
	dns := hop{"DNS", func(ctx context.Context) Hop { return p.dns(ctx, at) }}
	if at.Scheme == "http" {
		return []hop{dns, {"Answer", func(ctx context.Context) Hop {
			answer := p.ask(ctx, target)
			if answer.err != nil {
				return judgeConnection(at.Host, answer.err)
			}
			return judgeAnswer(target, answer, path != "/")
		}}}
	}
	var answer asked
	return []hop{dns, {"TLS", func(ctx context.Context) Hop {
		answer = p.ask(ctx, target)
		return judgeTLS(at.Host, answer, time.Now())
	}}, {"Answer", func(context.Context) Hop { return judgeAnswer(target, answer, path != "/") }}}
}

// dns looks up a host. With a proxy, the proxy does so.
func (p public) dns(ctx context.Context, at url.URL) Hop {
	host := at.Host
	proxy := p.proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	if through, err := proxy(&http.Request{URL: &at}); err == nil && through != nil {
		return Hop{State: Unchecked, Detail: fmt.Sprintf("the proxy %s looks up %s", through.Host, host)}
	}
	if net.ParseIP(host) != nil {
		return Hop{State: Unchecked, Detail: host + " is an address"}
	}
	resolve := p.resolve
	if resolve == nil {
		resolve = net.DefaultResolver.LookupHost
	}
	addresses, err := resolve(ctx, host)
	missing, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case isDNS && missing.IsNotFound:
		return Hop{State: Failed, Detail: host + " has no DNS record",
			Hint: "create a DNS record for " + host + " that leads to the tunnel, the Gateway or the Ingress controller"}
	case err != nil:
		return Hop{State: Failed, Detail: fmt.Sprintf("cannot look up %s: %v", host, err),
			Hint: "check this machine's resolver and network"}
	}
	return Hop{Detail: host + " is " + strings.Join(addresses, ", ")}
}

// ask sends one request. It follows no redirect, because a redirect is an answer.
func (p public) ask(ctx context.Context, target string) asked {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return asked{err: err}
	}
	request.Header.Set("User-Agent", "norn")
	transport := p.transport
	if transport == nil {
		fresh := http.DefaultTransport.(*http.Transport).Clone()
		fresh.DisableKeepAlives = true // the answer of now, over a connection of now
		transport = fresh
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return asked{err: err}
	}
	_ = response.Body.Close()
	return asked{status: response.StatusCode, tls: response.TLS}
}

// expiresSoon is how early norn warns about a certificate.
const expiresSoon = 14 * 24 * time.Hour

// judgeTLS checks the connection to a host and its certificate. An error after the handshake belongs to the answer.
func judgeTLS(host string, a asked, now time.Time) Hop {
	if a.err != nil {
		return judgeConnection(host, a.err)
	}
	if a.tls == nil || len(a.tls.PeerCertificates) == 0 {
		return Hop{State: Unchecked, Detail: "no certificate"}
	}
	cert := a.tls.PeerCertificates[0]
	left := cert.NotAfter.Sub(now)
	detail := fmt.Sprintf("certificate by %s, valid until %s", issuer(cert), cert.NotAfter.UTC().Format(time.DateOnly))
	if left < expiresSoon {
		detail += fmt.Sprintf("; it expires in %d days", int(left.Hours()/24))
	}
	return Hop{Detail: detail}
}

func issuer(cert *x509.Certificate) string {
	if len(cert.Issuer.Organization) > 0 {
		return cert.Issuer.Organization[0]
	}
	return cert.Issuer.CommonName
}

// judgeConnection says why there is no answer.
func judgeConnection(host string, err error) Hop {
	var (
		wrongName x509.HostnameError
		unknown   x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
	)
	failed := func(hint, format string, args ...any) Hop {
		return Hop{State: Failed, Detail: fmt.Sprintf(format, args...), Hint: hint}
	}
	op, isOp := errors.AsType[*net.OpError](err)
	switch {
	case errors.As(err, &wrongName):
		return failed("give the route a certificate for "+host, "the certificate is for %s, not for %s",
			strings.Join(names(wrongName.Certificate), ", "), host)
	case errors.As(err, &unknown):
		return failed("use a certificate of a public authority, or add the authority to this machine's",
			"an authority that this machine does not know signed the certificate of %s", host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return failed("renew the certificate", "the certificate of %s is valid from %s to %s", host,
			invalid.Cert.NotBefore.UTC().Format(time.DateOnly), invalid.Cert.NotAfter.UTC().Format(time.DateOnly))
	case errors.Is(err, context.DeadlineExceeded):
		return failed("check the firewall and the load balancer before the cluster", "%s does not answer in time", host)
	case isOp && op.Op == "proxyconnect":
		return failed("check HTTPS_PROXY and NO_PROXY", "cannot connect through the proxy: %v", op.Err)
	case isOp && op.Op == "dial":
		return failed("check the address in the DNS record, the firewall and the load balancer",
			"cannot connect to %s: %v", host, op.Err)
	}
	return failed("check the listener of the route, and its certificate", "no answer from %s: %v", host, err)
}

// names returns the names that a certificate is for.
func names(cert *x509.Certificate) []string {
	if cert == nil {
		return []string{"another name"}
	}
	all := cert.DNSNames
	for _, ip := range cert.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return []string{cert.Subject.CommonName}
	}
	return all
}

// judgeAnswer checks the status code of a public address. checked is whether the app should have a good answer there.
func judgeAnswer(target string, a asked, checked bool) Hop {
	detail := fmt.Sprintf("%s answers %d", target, a.status)
	hint := ""
	switch {
	case good(a.status):
		return Hop{Detail: detail}
	case !checked && a.status < http.StatusInternalServerError:
		return Hop{Detail: detail + "; the app has no healthcheck path to ask for"}
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		hint = "something before the app asks for a login, unless the app itself does"
	case a.status == http.StatusNotFound:
		hint = "compare the hosts and paths of the route: another route may answer, or none"
	case a.status >= http.StatusBadGateway && a.status <= http.StatusGatewayTimeout:
		hint = "see the log of the route's controller: it does not get an answer from the Service"
	default:
		hint = "compare with the answer of the Service"
	}
	return Hop{State: Failed, Detail: detail, Hint: hint}
}
