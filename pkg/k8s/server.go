package k8s

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/rest"
)

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
	url := requests.Get().AbsPath(versionPath).URL()
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

// GetNamespace reads a namespace. One that is not there is a *NamespaceError.
func (c *Client) GetNamespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	ns, err := c.core.Namespaces().Get(ctx, name, metav1.GetOptions{})
	return ns, explain(err, "read namespace %s", name)
}
