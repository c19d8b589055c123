package connect

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"norn/pkg/k8s"
)

// diagnose returns an error whose text explains in one line why the first call failed, and whose hint says what to do.
// It returns nil for 403 Forbidden, because that server is reachable and knows the user.
func diagnose(err error, t *target, wait time.Duration) error {
	if unavailable, ok := errors.AsType[*UnavailableError](err); ok { // the credential plugin's
		return unavailable
	}
	host := withoutCredentials(t.conf.Host)
	fail := func(advice, format string, args ...any) error {
		return &UnavailableError{Reason: fmt.Sprintf(format, args...), Advice: advice, Err: err}
	}
	if apierrors.IsUnauthorized(err) {
		if missing := t.missingCredentials(); missing != "" {
			return fail("log in, or add a token or a client certificate to the kubeconfig",
				"%s requires credentials, but %s (401 Unauthorized)", host, missing)
		}
		return fail(loginAdvice(t.conf), "%s rejected the credentials of user %q of context %q (401 Unauthorized)%s",
			host, t.user, t.context, expiredClient(t.conf))
	}
	p := proxyOf(t.conf)
	if p != nil {
		if u := diagnoseProxy(err, p, host); u != nil {
			return u
		}
		host += " through " + p.String()
	}
	if u := diagnoseTLS(err, host); u != nil {
		return u
	}
	switch {
	case is[*net.DNSError](err):
		dns, _ := errors.AsType[*net.DNSError](err)
		return fail("check the server address in the kubeconfig, and the network (VPN)",
			"cannot resolve host name %s of context %q (DNS)", dns.Name, t.context)
	case apierrors.IsForbidden(err):
		return nil // later calls report the missing permissions
	case errors.Is(err, syscall.ECONNREFUSED):
		return fail("start the cluster, or choose another context with --context", "%s refused the connection", host)
	case strings.Contains(err.Error(), "getting credentials"): // an untyped error of client-go/plugin/pkg/client/auth/exec
		return fail("run the command by hand to see the cause, or log in again",
			"the credentials command of user %q failed: %s", t.user, innermost(err))
	case timedOut(err):
		return fail("check the server address and the network (VPN, firewall), or raise --request-timeout",
			"%s did not answer within %s", host, wait)
	case is[*k8s.AnswerError](err):
		return fail("check the server address in the kubeconfig; a proxy, a load balancer or a login page of the network "+
			"may answer in the server's place", "%s %s", host, err)
	case isStatus(err):
		return fail("wait until the API server is ready, or check the server address in the kubeconfig",
			"%s is not ready: %s", host, oneLine(err))
	default:
		return fail("check the server address and the network, or choose another context with --context",
			"cannot reach %s: %s", host, innermost(err))
	}
}

// diagnoseProxy returns the error for a proxy that cannot be reached, or nil.
func diagnoseProxy(err error, p *proxy, host string) error {
	dns, unresolved := errors.AsType[*net.DNSError](err)
	switch {
	case unresolved && dns.Name == p.host:
		return &UnavailableError{
			Reason: fmt.Sprintf("cannot resolve host name %s of %s, which leads to %s (DNS)", dns.Name, p, host),
			Advice: "check the network (VPN), or correct or unset " + p.setting, Err: err,
		}
	case errors.Is(err, syscall.ECONNREFUSED): // norn itself connects to the proxy only
		return &UnavailableError{
			Reason: fmt.Sprintf("%s refused the connection to %s", p, host),
			Advice: "start the proxy, or correct or unset " + p.setting, Err: err,
		}
	}
	return nil
}

// diagnoseTLS returns the error for a certificate that norn does not accept, or nil.
func diagnoseTLS(err error, host string) error {
	var (
		invalid x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
	)
	fail := func(advice, format string, args ...any) error {
		return &UnavailableError{Reason: fmt.Sprintf(format, args...), Advice: advice, Err: err}
	}
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fail("renew the API server's certificate, and check this machine's clock",
			"the certificate of %s has expired or is not yet valid: %s", host, validity(invalid.Cert))
	case errors.As(err, &unknown):
		return fail("add the cluster's CA to the kubeconfig (certificate-authority-data)",
			"the certificate of %s is signed by an unknown authority", host)
	case errors.As(err, &name):
		return fail("use an address that the certificate names, or set tls-server-name in the kubeconfig",
			"the certificate of %s is not valid for that name", host)
	case errors.As(err, &invalid):
		return fail("check the cluster's CA and certificate",
			"the certificate of %s is not valid: %s", host, oneLine(invalid))
	}
	return nil
}

// is reports whether an error of type E is in err's chain.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout())
}

func isStatus(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status)
}

// innermost returns the text of a URL error without "Get https://…:" in front.
func innermost(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return oneLine(err)
}

func loginAdvice(conf *rest.Config) string {
	if conf.ExecProvider != nil {
		return fmt.Sprintf("log in again (the kubeconfig gets credentials from %s)", conf.ExecProvider.Command)
	}
	return "log in again, or renew the token or client certificate in the kubeconfig"
}

// expiredClient returns when the client certificate expired, for messages about 401 Unauthorized, or "" if it did not.
func expiredClient(conf *rest.Config) string {
	end := clientCertificateEnd(conf)
	if end.IsZero() || time.Now().Before(end) {
		return ""
	}
	return fmt.Sprintf(": the client certificate expired on %s", end.Format(time.DateOnly))
}

func validity(cert *x509.Certificate) string {
	return fmt.Sprintf("valid from %s to %s",
		cert.NotBefore.UTC().Format(time.DateTime), cert.NotAfter.UTC().Format(time.DateTime))
}
