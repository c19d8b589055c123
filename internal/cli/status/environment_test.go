package status

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"k8s.io/client-go/rest"

	"norn/internal/status"
	"norn/pkg/k8s"
)

// Only a user who is not allowed to read namespaces is not told that one is missing, or why norn cannot know.
func TestMissingNamespace(t *testing.T) {
	const details = `"details":{"kind":"namespaces","name":"staging"}`
	missing := func(err error) bool {
		found, ok := errors.AsType[*k8s.NamespaceError](err)
		return ok && found.Key == "environments.staging.namespace"
	}
	for name, c := range map[string]struct {
		code   int
		answer string
		want   func(error) bool
	}{
		"exists": {http.StatusOK, `{"kind":"Namespace","apiVersion":"v1"}`, func(err error) bool { return err == nil }},
		"denied": {
			http.StatusForbidden,
			`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"namespaces ` +
				`\"staging\" is forbidden: User \"ci\" cannot get resource \"namespaces\" in API group \"\" in the namespace ` +
				`\"staging\""}`,
			func(err error) bool { return err == nil },
		},
		"missing": {
			http.StatusNotFound,
			`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,` + details + `}`, missing,
		},
		"broken": {
			http.StatusInternalServerError,
			`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"InternalError","code":500}`,
			func(err error) bool { return err != nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.code)
				_, _ = io.WriteString(w, c.answer)
			}))
			defer api.Close()
			client, err := k8s.New(&rest.Config{Host: api.URL}, "test")
			if err != nil {
				t.Fatal(err)
			}
			place := status.Place{Namespace: "staging", Key: "environments.staging.namespace"}
			if err := missingNamespace(t.Context(), client, place); !c.want(err) {
				t.Errorf("code %d: %v", c.code, err)
			}
		})
	}
}
