package k8s

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// rideOut is how long a run that has begun waits for an API server that has gone away, by a restart for example.
const rideOut = 25 * time.Second

// rider repeats a request that got no answer until the server is back. All of norn's writes can be repeated: they are applies, patches,
// deletes of what may be gone, and creates of objects by name whose callers know their own again.
type rider struct {
	next    http.RoundTripper
	patient time.Duration
}

// RoundTrip implements http.RoundTripper.
func (r *rider) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Path == versionPath || strings.HasSuffix(req.URL.Path, "/proxy") { // the first call says at once that there is no server; what a pod answers is no server's
		return r.next.RoundTrip(req)
	}
	begin := time.Now()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		resp, err := r.next.RoundTrip(req)
		if !away(resp, err) || req.Context().Err() != nil {
			return resp, err
		}
		if time.Since(begin) > r.patient {
			if err == nil {
				return resp, nil
			}
			return nil, fmt.Errorf("the API server has been away for %s: %w", time.Since(begin).Round(time.Second), err)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
		select {
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		case <-time.After(wait):
		}
		if req.Body != nil {
			if req.GetBody == nil {
				return nil, err
			}
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// away reports whether there was no API server to answer.
func away(resp *http.Response, err error) bool {
	if err != nil {
		_, invalid := errors.AsType[x509.CertificateInvalidError](err)
		_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
		return !invalid && !unknown
	}
	return resp.StatusCode == http.StatusBadGateway || resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusGatewayTimeout
}
