package connect

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// retryTransport repeats unanswered requests with their body.
func TestRetry(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch n := asked.Add(1); {
		case string(body) != "text":
			t.Errorf("body %q", body)
		case n == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case n == 2:
			panic(http.ErrAbortHandler) // the connection ends without an answer
		}
	}))
	defer s.Close()
	client := &http.Client{Transport: &retryTransport{next: http.DefaultTransport, timeout: 10 * time.Second}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/x", strings.NewReader("text"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK || asked.Load() != 3 {
		t.Fatalf("%v, %v, asked %d times", resp, err, asked.Load())
	}
	_ = resp.Body.Close()
}

type refuses struct{ n int }

func (r *refuses) RoundTrip(*http.Request) (*http.Response, error) {
	r.n++
	return nil, errors.New("refused")
}

// Retries stop after the timeout, and the first call is never retried.
func TestRetryGivesUp(t *testing.T) {
	for path, want := range map[string]int{"/version": 1, "/x": 2} {
		server := &refuses{}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		if resp, err := (&retryTransport{next: server, timeout: time.Nanosecond}).RoundTrip(req); err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s: no error", path)
		}
		if server.n > want {
			t.Errorf("%s: asked %d times", path, server.n)
		}
	}
}

// An answer that does not come from Kubernetes, such as a gateway's login page, is an error for every method. It is not
// repeated.
func TestForeignAnswers(t *testing.T) {
	for body, good := range map[string]bool{
		`{"kind":"Status"}`: true, " {}\n": true, "k8s\x00\n": true,
		"": false, "<html>log in</html>": false, "\x00\xff{": false, "{": false, "null": false,
	} {
		calls := 0
		next := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			calls++
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
		})
		transport := &retryTransport{next: &whole{next: next}, timeout: retryFor}
		const pod = "http://server/api/v1/namespaces/a/pods/b"
		req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, pod, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if (err == nil) != good || calls != 1 {
			t.Errorf("%q: error %v after %d calls", body, err, calls)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
	}
}

// A Pod without a node has an empty log, for which the API server answers 204 No Content.
func TestEmptyLog(t *testing.T) {
	next := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: req}, nil
	})
	const log = "http://server/api/v1/namespaces/a/pods/b/log"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&whole{next: next}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}
