package connect

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"norn/pkg/k8s"
)

// Each warning of the API server is passed on once.
func TestWarnings(t *testing.T) {
	texts := []string{`would violate PodSecurity "restricted:latest": runAsNonRoot`, "deprecated"}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			version(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		for _, text := range texts {
			w.Header().Add("Warning", fmt.Sprintf("299 - %q", text))
		}
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
	for _, release := range []bool{false, true} { // of a dry run that is refused, and of one that is not
		held, pass := k8s.HoldWarnings(t.Context())
		texts = []string{fmt.Sprint("held ", release)}
		if _, err := client.GetNamespace(held, "shops"); err != nil {
			t.Fatal(err)
		}
		if release {
			pass()
		}
	}
	// A dry run of a Pod has the same warnings as its workload.
	for _, text := range []string{
		"spec.template.spec.x: old", "spec.x: old", "spec.jobTemplate.spec.template.spec.x: old",
	} {
		texts = []string{text}
		if _, err := client.GetNamespace(t.Context(), "shops"); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{`would violate PodSecurity "restricted:latest": runAsNonRoot`, "deprecated", "held true",
		"spec.template.spec.x: old"}
	if !slices.Equal(said, want) {
		t.Errorf("got %q, want %q", said, want)
	}
}
