package k8s

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"k8s.io/client-go/rest"
)

// versionPath is the path of a cheap request that every user may make. Behind some servers it has a prefix.
const versionPath = "/version"

type probeKey struct{}

// IsProbe reports whether a request comes from Ping or Server. Such a request is not repeated, and its answer is waited
// for as long as the first one.
func IsProbe(req *http.Request) bool { return req.Context().Value(probeKey{}) != nil }

// Ping asks the API server for its version, without retries. Only one goroutine at a time may call it. It returns the
// client library's error unchanged. If the answer does not come from Kubernetes, the error is an *AnswerError.
func (c *Client) Ping(ctx context.Context) error {
	s, err := c.probe(ctx)
	if err == nil {
		c.version = s.Version
	}
	return err
}

// OlderThan reports whether the server is older than Kubernetes 1.minor. It is false before a Ping, or if the server's
// version is not the one of a Kubernetes.
func (c *Client) OlderThan(minor int) bool {
	var its int
	_, err := fmt.Sscanf(c.version, "v1.%d", &its)
	return err == nil && its < minor
}

// Server describes an API server.
type Server struct {
	Address   string
	Version   string // such as v1.37.2
	RoundTrip time.Duration
	Date      time.Time     // of its answer, by its own clock; zero if unknown
	Ahead     time.Duration // how far its clock is ahead of this machine's, plus or minus Unsure
	Unsure    time.Duration
}

// Server asks the API server for its version, over an open connection.
func (c *Client) Server(ctx context.Context) (*Server, error) {
	s, err := c.probe(ctx)
	if err != nil {
		return nil, fmt.Errorf("get the server's version: %w", err)
	}
	return s, nil
}

// Now returns the time by the API server's clock, in whole seconds. It returns an error if the server's answer has no
// date: this machine's clock may be wrong, and what expires by it may be deleted.
func (c *Client) Now(ctx context.Context) (time.Time, error) {
	s, err := c.ask(ctx)
	switch {
	case err != nil:
		return time.Time{}, fmt.Errorf("get the server's time: %w", err)
	case s.Date.IsZero():
		return time.Time{}, errors.New("the API server's answer has no date, so norn does not know the time")
	}
	return s.Date, nil
}

func (c *Client) probe(ctx context.Context) (*Server, error) {
	return c.ask(context.WithValue(ctx, probeKey{}, true))
}

func (c *Client) ask(ctx context.Context) (*Server, error) {
	requests, ok := c.core.RESTClient().(*rest.RESTClient)
	if !ok {
		return nil, errors.New("not connected")
	}
	url := requests.Get().AbsPath(versionPath).URL()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url.String(), nil)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	resp, err := requests.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	s := &Server{Address: url.Scheme + "://" + url.Host, RoundTrip: time.Since(begin)}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return nil, err
	}
	if s.Version, err = versionIn(resp, body); err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		s.Date = date
		s.Ahead, s.Unsure = ahead(date, begin, s.RoundTrip)
	}
	return s, nil
}

// ahead returns how far a clock that shows whole seconds is ahead of this machine's, and the possible error of that.
// It assumes that the server read its clock in the middle of the round trip, half a second after the second that it
// shows.
func ahead(date, begin time.Time, roundTrip time.Duration) (ahead, unsure time.Duration) {
	const half = time.Second / 2
	return date.Add(half).Sub(begin.Add(roundTrip / 2)), half + roundTrip/2
}

// clientGo is the module path of the client library.
const clientGo = "k8s.io/client-go"

// LibraryVersion returns the version of the client library, such as v0.37.2, which is made for Kubernetes 1.37. It
// returns "" if the binary does not contain it.
func LibraryVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == clientGo {
			return m.Version
		}
	}
	return ""
}
