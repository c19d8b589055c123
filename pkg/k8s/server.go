package k8s

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/rest"
)

// VersionPath is the path of the cheapest request that an unprivileged user may make: any user may ask for the version.
const VersionPath = "/version"

// Ping asks the API server for its version, once. It returns the client library's error as it is.
func (c *Client) Ping(ctx context.Context) error {
	return c.core.RESTClient().Get().AbsPath(VersionPath).MaxRetries(0).Do(ctx).Error()
}

// Server is what an API server says of itself.
type Server struct {
	Address   string
	Version   string // such as v1.37.2
	RoundTrip time.Duration
	Date      time.Time     // by its own clock, when it answered; zero where it did not say
	Ahead     time.Duration // how far its clock is ahead of this machine's, give or take Unsure
	Unsure    time.Duration
}

// Server asks the API server for its version, on a connection that is there already.
func (c *Client) Server(ctx context.Context) (*Server, error) {
	requests, ok := c.core.RESTClient().(*rest.RESTClient)
	if !ok {
		return nil, errors.New("ask for the server's version: there is no connection")
	}
	url := requests.Get().AbsPath(VersionPath).URL()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the server's version: %w", err)
	}
	begin := time.Now()
	resp, err := requests.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for the server's version: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	s := &Server{Address: url.Scheme + "://" + url.Host, RoundTrip: time.Since(begin)}
	var info version.Info
	switch err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 1<<16)).Decode(&info); {
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("ask for the server's version: %s", resp.Status)
	case err != nil:
		return nil, fmt.Errorf("ask for the server's version: %w", err)
	}
	s.Version = info.GitVersion
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		s.Date = date
		s.Ahead, s.Unsure = ahead(date, begin, s.RoundTrip)
	}
	return s, nil
}

// ahead compares a clock that shows whole seconds, read somewhere within a round trip, with this machine's. On average it was read in the
// middle, half a second after the one that it shows.
func ahead(date, begin time.Time, roundTrip time.Duration) (ahead, unsure time.Duration) {
	const half = time.Second / 2
	return date.Add(half).Sub(begin.Add(roundTrip / 2)), half + roundTrip/2
}

// clientGo is the module of the client library.
const clientGo = "k8s.io/client-go"

// LibraryVersion is the version of the client library, such as v0.37.2: the Kubernetes that it is made for, with 0 for 1. It is "" where the
// binary does not say.
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
