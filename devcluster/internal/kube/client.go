// Package kube is a small client for a devcluster's API server.
package kube

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Client makes requests to the API server as the admin.
type Client struct {
	http *http.Client
	base string
}

// New returns a client for the server at base with the keys in the folder pki. It verifies the server's certificate.
func New(pki, base string) (*Client, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(pki, "admin.crt"), filepath.Join(pki, "admin.key"))
	if err != nil {
		return nil, fmt.Errorf("read the admin's certificate: %w", err)
	}
	ca, err := os.ReadFile(filepath.Join(pki, "ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the CA: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	config := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	transport := &http.Transport{TLSClientConfig: config}
	return &Client{&http.Client{Transport: transport, Timeout: 5 * time.Second}, base}, nil
}

// Do makes a request and decodes the JSON response into out unless out is nil. A PATCH is a JSON merge patch. It
// returns the status code, or 0 without a response.
func (c *Client) Do(ctx context.Context, method, path string, body []byte, out any) (int, error) {
	kind := "application/json"
	if method == http.MethodPatch {
		kind = "application/merge-patch+json"
	}
	code, answer, err := c.request(ctx, method, path, kind, body)
	if err == nil && out != nil && code < 300 {
		err = json.Unmarshal(answer, out)
	}
	return code, err
}

// Get makes a GET request and returns the status code and the response.
func (c *Client) Get(ctx context.Context, path string) (int, []byte, error) {
	return c.request(ctx, http.MethodGet, path, "", nil)
}

// Apply applies the YAML of the object at path by server-side apply.
func (c *Client) Apply(ctx context.Context, path string, object []byte) (int, error) {
	path += "?fieldManager=devcluster&force=true"
	code, answer, err := c.request(ctx, http.MethodPatch, path, "application/apply-patch+yaml", object)
	if err == nil && code >= 300 {
		err = errors.New(string(answer))
	}
	return code, err
}

func (c *Client) request(ctx context.Context, method, path, kind string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// Until calls holds until it returns true. The error includes the name of the condition and the last error.
func Until(
	ctx context.Context, timeout time.Duration, condition string, holds func(context.Context) (bool, error),
) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	last := errors.New("not yet")
	for {
		ok, err := holds(ctx)
		if ok {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w (%w)", condition, last, context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// NodeReady reports whether the node has reported Ready at since or later.
func (c *Client) NodeReady(ctx context.Context, name string, since time.Time) (bool, error) {
	var node Node
	if code, err := c.Do(ctx, http.MethodGet, "/api/v1/nodes/"+name, nil, &node); code != http.StatusOK {
		return false, err
	}
	ready, at, message := node.Ready()
	return ready && !at.Before(since), errors.New(message)
}

// Node holds the used parts of a Node.
type Node struct {
	Metadata struct{ Name string }
	Status   struct {
		NodeInfo   struct{ Architecture string }
		Addresses  []struct{ Address string }
		Conditions []struct {
			Type, Status, Message string
			LastHeartbeatTime     time.Time
		}
	}
}

// Ready returns the node's condition Ready, its last heartbeat and its message.
func (n *Node) Ready() (ready bool, at time.Time, message string) {
	for _, cond := range n.Status.Conditions {
		if cond.Type == "Ready" {
			return cond.Status == "True", cond.LastHeartbeatTime, cond.Message
		}
	}
	return false, time.Time{}, "no condition Ready yet"
}

// Ready reports whether the API server is ready.
func (c *Client) Ready(ctx context.Context) (bool, error) { return c.Exists(ctx, "/readyz") }

// Exists reports whether an object exists at path.
func (c *Client) Exists(ctx context.Context, path string) (bool, error) {
	code, err := c.Do(ctx, http.MethodGet, path, nil, nil)
	return code == http.StatusOK, err
}

// Create creates an object below path. It reports true if the object is created or exists.
func (c *Client) Create(ctx context.Context, path string, object []byte) (bool, error) {
	code, err := c.Do(ctx, http.MethodPost, path, object, nil)
	if code == http.StatusCreated || code == http.StatusConflict {
		return true, nil
	}
	return false, fmt.Errorf("create an object of %s: status %d: %w", path, code, err)
}
