package connect

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"norn/pkg/k8s"
)

// retryFor is how long a run waits for an API server that stopped answering, for example while it restarts.
const retryFor = 25 * time.Second

// longestPause is the longest time between two requests, even if the server asks for more.
const longestPause = 5 * time.Second

// retryTransport repeats a request until the server answers. All of norn's writes can be repeated: applies, patches,
// deletes that accept a missing object, and creates whose callers recognize their own object by its name.
type retryTransport struct {
	next    http.RoundTripper
	timeout time.Duration
}

// RoundTrip implements http.RoundTripper. Nothing is written under a lost lock; see k8s.CheckGuard.
func (r *retryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	// The first call must fail at once, and the answer to a proxy request comes from the Pod.
	if k8s.IsProbe(req) || isProxied(req) {
		return r.next.RoundTrip(req)
	}
	begin := time.Now()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		if err := k8s.CheckGuard(req); err != nil {
			return nil, err
		}
		resp, err := r.next.RoundTrip(req)
		if !unanswered(resp, err) || req.Context().Err() != nil {
			return resp, err
		}
		pause := max(wait, retryAfter(resp))
		if time.Since(begin)+pause > r.timeout {
			return gaveUp(resp, err, time.Since(begin))
		}
		if err == nil {
			_ = resp.Body.Close()
		}
		select {
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		case <-time.After(pause):
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

// gaveUp returns the last answer, or the error if there was none. client-go would repeat a request whose answer has a
// Retry-After ten times, after any time that the server asks for.
func gaveUp(resp *http.Response, err error, after time.Duration) (*http.Response, error) {
	if err != nil {
		return nil, fmt.Errorf("the API server has not answered for %s: %w", after.Round(time.Second), err)
	}
	resp.Header.Del(retryAfterHeader)
	return resp, nil
}

const retryAfterHeader = "Retry-After"

// retryAfter returns how long the server asks norn to wait, up to longestPause.
func retryAfter(resp *http.Response) time.Duration {
	if resp == nil {
		return 0
	}
	seconds, err := strconv.Atoi(resp.Header.Get(retryAfterHeader))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, int(longestPause.Seconds()))) * time.Second
}

// unanswered reports whether the API server did not answer, or asks to repeat the request. An untrusted certificate
// counts as an answer, and so does an answer that is too large or does not come from Kubernetes.
func unanswered(resp *http.Response, err error) bool {
	if err != nil {
		_, invalid := errors.AsType[x509.CertificateInvalidError](err)
		_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
		return !invalid && !unknown && !errors.Is(err, errTooLarge) && !errors.Is(err, errNotKubernetes)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return resp.StatusCode >= http.StatusInternalServerError && resp.Header.Get(retryAfterHeader) != ""
}
