package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"norn/pkg/k8s"
)

const (
	// answerWait is how long norn waits for the headers of an answer, and then for each part of its body.
	answerWait = 30 * time.Second
	// watchWait is how long a watch may be silent. An API server sends a bookmark each minute; after a silence, the watch
	// is resumed.
	watchWait = 90 * time.Second
	// maxAnswer is the largest answer that norn reads into memory. An object has at most 1.5 MiB.
	maxAnswer = 64 << 20
)

var (
	errTooLarge      = fmt.Errorf("its answer is larger than %d MiB", maxAnswer>>20)
	errNotKubernetes = errors.New("its answer does not come from Kubernetes")
)

// isWatch, isLog and isFollowed report what a request asks for.
func isWatch(req *http.Request) bool { return isTrue(req, "watch") }

func isLog(req *http.Request) bool { return strings.HasSuffix(req.URL.Path, "/log") }

func isFollowed(req *http.Request) bool { return isLog(req) && isTrue(req, "follow") }

// isProxied reports whether the answer comes from a Pod.
func isProxied(req *http.Request) bool { return proxyPath.MatchString(req.URL.Path) }

var proxyPath = regexp.MustCompile(`/(?:pods|services)/[^/]+/proxy(?:/|$)`)

func isTrue(req *http.Request, parameter string) bool {
	value := req.URL.Query().Get(parameter)
	return value == "true" || value == "1"
}

// bounded cancels a request if the response headers have not arrived after wait, or if the body stops in between. It
// cancels a probe if the whole response has not arrived after first.
type bounded struct {
	next        http.RoundTripper
	first, wait time.Duration
}

// RoundTrip implements http.RoundTripper.
func (t *bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	first, late := k8s.IsProbe(req), fmt.Errorf("no answer within %s", t.wait)
	wait := t.wait
	if first {
		wait, late = t.first, context.DeadlineExceeded
	}
	timer := time.AfterFunc(wait, func() { cancel(late) })
	resp, err := t.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		timer.Stop()
		if cause := context.Cause(ctx); cause != nil && req.Context().Err() == nil {
			err = fmt.Errorf("%w (%w)", cause, err)
		}
		cancel(nil)
		return nil, err
	}
	body := &boundedBody{ReadCloser: resp.Body, ctx: ctx, end: func() { timer.Stop(); cancel(nil) }}
	if !first {
		timer.Stop()
		body.limit(t.silence(req, resp), cancel)
	}
	resp.Body = body
	return resp, nil
}

// silence returns how long the body of a response may pause, or 0 if there is no limit: a followed log is silent while
// the app is, and a switched protocol has its own rules.
func (t *bounded) silence(req *http.Request, resp *http.Response) time.Duration {
	switch {
	case isWatch(req):
		return watchWait
	case isFollowed(req), resp.StatusCode == http.StatusSwitchingProtocols:
		return 0
	}
	return t.wait
}

// boundedBody is the body of a response whose pauses are limited.
type boundedBody struct {
	io.ReadCloser
	ctx    context.Context //nolint:containedctx // of the request
	silent *time.Timer     // ends ctx; nil if there is no limit
	wait   time.Duration
	end    func()
}

// limit ends the request if the server sends nothing for wait, unless that is 0.
func (b *boundedBody) limit(wait time.Duration, cancel context.CancelCauseFunc) {
	if wait == 0 {
		return
	}
	b.wait = wait
	b.silent = time.AfterFunc(wait, func() { cancel(fmt.Errorf("no data for %s", wait)) })
	b.silent.Stop() // Read starts it
}

// Read implements io.Reader. After a timeout, it returns the timeout's error. A reader that pauses costs no time.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.silent != nil {
		b.silent.Reset(b.wait)
		defer b.silent.Stop()
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(b.ctx); cause != nil && !errors.Is(cause, context.Canceled) {
			err = cause
		}
	}
	return n, err
}

// Close implements io.Closer.
func (b *boundedBody) Close() error {
	defer b.end()
	if b.silent != nil {
		b.silent.Stop()
	}
	return b.ReadCloser.Close()
}

// whole reads answers to their end, so that an answer that is cut off counts as none. It leaves streams alone. The log
// of a Pod without a node is 204 No Content.
type whole struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t *whole) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || k8s.IsProbe(req) || isProxied(req) || isLog(req) && resp.StatusCode < http.StatusMultipleChoices ||
		isWatch(req) && resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = errTooLarge
	}
	if err == nil && resp.StatusCode < http.StatusMultipleChoices && !isObject(body) {
		err = errNotKubernetes
	}
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// isObject reports whether a body looks like an object of the API: protobuf begins with these bytes
// (kubernetes.io: API Concepts, Protobuf encoding). Without this check, the login page of a gateway that answers 200
// would count as a successful deletion.
func isObject(body []byte) bool {
	text := bytes.TrimSpace(body)
	isJSON := bytes.HasPrefix(text, []byte("{")) && bytes.HasSuffix(text, []byte("}"))
	return isJSON || bytes.HasPrefix(body, []byte("k8s\x00"))
}
