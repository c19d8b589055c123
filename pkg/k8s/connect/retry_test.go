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
