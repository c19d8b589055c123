package forge

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"k8s.io/client-go/rest"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
)

// serverOf returns a client of an API server that answers with serve.
func serverOf(t *testing.T, serve http.HandlerFunc) *k8s.Client {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		serve(w, r)
	}))
	t.Cleanup(api.Close)
	cluster, err := k8s.New(&rest.Config{Host: api.URL}, "test")
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

// The settings of all commands follow the server's version and the namespace.
func TestSettingsFor(t *testing.T) {
	const restricted = `{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}`
	const assigns = `{"annotations":{"openshift.io/sa.scc.uid-range":"1000/10"}}`
	for _, c := range []struct {
		minor, namespace string
		want             objects.Settings
	}{
		{"29", `{}`, objects.Settings{NoDrain: true}},
		{"30", restricted, objects.Settings{Enforced: objects.Enforced{Level: "restricted"}}},
		{"29", assigns, objects.Settings{NoDrain: true, Enforced: objects.Enforced{AssignsIDs: true}}},
		{"30", "", objects.Settings{}},
	} {
		cluster := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/version":
				_, _ = io.WriteString(w, `{"major":"1","minor":"`+c.minor+`","gitVersion":"v1.`+c.minor+`.1"}`)
			case c.namespace == "":
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
			default:
				_, _ = io.WriteString(w, `{"kind":"Namespace","apiVersion":"v1","metadata":`+c.namespace+`}`)
			}
		})
		if err := cluster.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.want.Namespace = "shops"
		got, err := SettingsFor(t.Context(), cluster, objects.Settings{Namespace: "shops"})
		if err != nil || got != c.want {
			t.Errorf("version %s, namespace %s: %+v, error %v; want %+v", c.minor, c.namespace, got, err, c.want)
		}
	}
}
