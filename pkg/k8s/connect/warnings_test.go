package connect

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

// Each warning of the API server is passed on once.
func TestWarnings(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			version(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Add("Warning", `299 - "would violate PodSecurity \"restricted:latest\": runAsNonRoot"`)
		w.Header().Add("Warning", `299 - "deprecated"`)
		w.Header().Add("Warning", `199 - "of a proxy"`)
		_, _ = io.WriteString(w, `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"shops"}}`)
	}))
	defer s.Close()
	var said []string
	by := Caller{Warn: func(text string) { said = append(said, text) }}
	client, err := Dial(t.Context(), flagsFor(t, s.URL, "{token: t}"), by)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := client.GetNamespace(t.Context(), "shops"); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{`would violate PodSecurity "restricted:latest": runAsNonRoot`, "deprecated"}
	if !slices.Equal(said, want) {
		t.Errorf("got %q, want %q", said, want)
	}
}
