package connect

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"norn/pkg/k8s"
)

// retryFor is how long a run waits for an API server that stopped answering, for example while it restarts.
const retryFor = 25 * time.Second

// retryTransport repeats a request until the server answers. All of norn's writes can be repeated: applies, patches,
// deletes that accept a missing object, and creates whose callers recognize their own object by its name.
type retryTransport struct {
	next    http.RoundTripper
	timeout time.Duration
}

// RoundTrip implements http.RoundTripper.
func (r *retryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	// The first call must fail at once, and the answer to a proxy request comes from the Pod.
	if k8s.IsProbe(req) || strings.HasSuffix(req.URL.Path, "/proxy") {
		return r.next.RoundTrip(req)
	}
	begin := time.Now()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		resp, err := r.next.RoundTrip(req)
		if !unanswered(resp, err) || req.Context().Err() != nil {
			return resp, err
		}
		if time.Since(begin) > r.timeout {
			if err == nil {
				return resp, nil
			}
			return nil, fmt.Errorf("the API server has not answered for %s: %w", time.Since(begin).Round(time.Second), err)
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

// unanswered reports whether the API server did not answer. An untrusted certificate counts as an answer.
func unanswered(resp *http.Response, err error) bool {
	if err != nil {
		_, invalid := errors.AsType[x509.CertificateInvalidError](err)
		_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
		return !invalid && !unknown
	}
	switch resp.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
