package root

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"norn/test/bed"
)

// denying starts an API server that answers only the user's questions about permissions, and denies everything else.
func denying(t *testing.T, user string) (kubeconfigPath string) {
	t.Helper()
	s := server(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		const group = "/apis/authorization.k8s.io/v1/selfsubject"
		switch {
		case req.URL.Path == "/version":
			_, _ = io.WriteString(w, `{"major":"1","minor":"37"}`)
		case user != "system:anonymous" && strings.HasPrefix(req.URL.Path, group+"rulesreviews"):
			_, _ = io.WriteString(w, `{"kind":"SelfSubjectRulesReview","apiVersion":"authorization.k8s.io/v1","status":{}}`)
		case user != "system:anonymous" && strings.HasPrefix(req.URL.Path, group+"accessreviews"):
			_, _ = io.WriteString(w, `{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{}}`)
		default:
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,
				"message":"x is forbidden: User \"`+user+`\" cannot do resource \"x\" in the namespace \"default\""}`)
		}
	}))
	path := filepath.Join(t.TempDir(), "config")
	text := bed.FakeKubeconfig(s.URL, caOf(s))
	if user == "system:anonymous" {
		text = strings.Replace(text, "{token: sEcReT-tOkEn}", "{}", 1)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every command reports missing permissions in the same way: it lists them all, prints the Role, and changes nothing.
func TestDenied(t *testing.T) {
	known, unknown := denying(t, "ci"), denying(t, "system:anonymous")
	for _, command := range []string{
		"forge", "deploy", "diff", "restart", "rollback", "history", "status", "logs", "run . -- true", "teardown --yes",
	} {
		t.Run(command, func(t *testing.T) {
			bed.WriteFiles(t, bed.EmptyHome(t), map[string]string{"infraspec.yaml": "app: shop\nrole: worker\n"})
			t.Setenv("NORN_REGISTRY_URL", "registry.example.com")
			t.Setenv("KUBECONFIG", known)
			code, out, errs := norn(t, strings.Fields(command)...)
			if code != 1 || out != "" || !strings.Contains(errs, "Error: not allowed: ") ||
				!strings.Contains(errs, "\nkind: Role\n") || !strings.Contains(errs, "in namespace default\n") {
				t.Errorf("exit code %d, %q, %s", code, out, errs)
			}
			t.Setenv("KUBECONFIG", unknown)
			code, _, errs = norn(t, strings.Fields(command)...)
			if code != 1 || !strings.Contains(errs, "Error: not logged in: the user is system:anonymous\n"+
				`Hint: user entry "u" of the kubeconfig has no credentials; log in, or use another context`) {
				t.Errorf("exit code %d, %s", code, errs)
			}
		})
	}
}

// A namespace of an environment that the user cannot read does not hide the apps in the others.
func TestEnvironmentDenied(t *testing.T) {
	s := server(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch path := req.URL.Path; {
		case path == "/version":
			_, _ = io.WriteString(w, `{"major":"1","minor":"37"}`)
		case path == "/apis/apps/v1/namespaces/open/deployments":
			_, _ = io.WriteString(w, `{"items":[{"metadata":{"name":"web","namespace":"open",
				"labels":{"app":"web","managed-by":"norn","norn/environment":"staging"}}}]}`)
		case strings.Contains(path, "/namespaces/open/") && !strings.Contains(path, "gateway"):
			_, _ = io.WriteString(w, `{"items":[]}`)
		case strings.HasPrefix(path, "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"):
			_, _ = io.WriteString(w, `{"kind":"SelfSubjectRulesReview","apiVersion":"authorization.k8s.io/v1","status":{}}`)
		default:
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,
				"message":"x is forbidden: User \"ci\" cannot list resource \"x\" in API group \"\" in the namespace \"closed\""}`)
		}
	}))
	home := bed.EmptyHome(t)
	bed.WriteFiles(t, home, map[string]string{
		"config":                  bed.FakeKubeconfig(s.URL, caOf(s)),
		"apps/web/infraspec.yaml": "app: web\nrole: worker\nenvironments: {staging: {namespace: open}}\n",
		"apps/api/infraspec.yaml": "app: api\nrole: worker\nenvironments: {staging: {namespace: closed}}\n",
	})
	t.Setenv("KUBECONFIG", filepath.Join(home, "config"))
	t.Setenv("NORN_APPS_DIR", filepath.Join(home, "apps"))
	code, out, errs := norn(t, "status", "--env", "staging")
	if code != 1 || !strings.Contains(out, "\nweb ") || !strings.Contains(out, "api ") ||
		!strings.Contains(errs, "in namespace closed") {
		t.Fatalf("exit code %d\n%s\n%s", code, out, errs)
	}
	code, out, _ = norn(t, "status", "--env", "staging", "-o", "json")
	if code != 1 || !strings.Contains(out, `"app":"web"`) || !strings.Contains(out, `"connected":true`) {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
