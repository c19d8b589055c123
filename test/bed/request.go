package bed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// requests makes requests to a cluster's API server. A request takes a hundredth of the time of a kubectl.
type requests struct {
	once   sync.Once
	client *http.Client
	server string // the API server's address
	err    error
}

// statusError is an answer that is not 2xx.
type statusError struct {
	what string
	code int
	body []byte
}

// Error implements error.
func (e *statusError) Error() string { return fmt.Sprintf("%s: status %d\n%s", e.what, e.code, e.body) }

// send sends a request as the cluster's administrator, with body as JSON unless it is nil. A status other than 2xx is a
// *statusError.
func (c *Cluster) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	r := &c.requests
	r.once.Do(func() {
		target, transport, err := API(c.Kubeconfig)
		if err != nil {
			r.err = err
			return
		}
		r.client, r.server = &http.Client{Transport: transport}, target.String()
	})
	if r.err != nil {
		return nil, r.err
	}
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, r.server+path, &sent)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/strategic-merge-patch+json")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body) // only for people
	return nil, &statusError{method + " " + path, resp.StatusCode, text}
}

// request sends a request and returns the answer's body.
func (c *Cluster) request(method, path string, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	return io.ReadAll(resp.Body)
}

// Change sends a request that changes an object, with body as JSON unless it is nil. It is for a test that changes
// objects while norn waits for an answer: the start of a kubectl could take longer than norn waits.
func (c *Cluster) Change(tb testing.TB, method, path string, body any) {
	tb.Helper()
	if _, err := c.request(method, path, body); err != nil {
		tb.Error(err)
	}
}

// createNamespace creates a namespace.
func (c *Cluster) createNamespace(name string) error {
	_, err := c.request(http.MethodPost, "/api/v1/namespaces", map[string]any{"metadata": map[string]string{"name": name}})
	return err
}

// deleteNamespace starts the deletion of a namespace, unless the cluster ends with the tests and runs no containers.
// The namespace's controller makes more than a hundred requests.
func (c *Cluster) deleteNamespace(name string) error {
	if c.passing {
		return nil
	}
	_, err := c.request(http.MethodDelete, "/api/v1/namespaces/"+name, nil)
	return err
}
