package connect

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// respond returns a handler that answers every request alike.
func respond(code int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

const goodVersion = `{"major":"1","minor":"37","gitVersion":"v1.37.2"}`

// Dial accepts answers of Kubernetes, and no others.
func TestAnswers(t *testing.T) {
	page := respond(200, "text/html; charset=utf-8", "<html>log in</html>")
	elsewhere := httptest.NewTLSServer(page)
	defer elsewhere.Close()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string // the end of the reason; "" if Dial succeeds
	}{
		"captive portal": {page, "answered with text/html, not Kubernetes"},
		"redirect": {
			func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
			"from " + strings.TrimPrefix(elsewhere.URL, "https://") + " after a redirect, not Kubernetes",
		},
		"other JSON":    {respond(200, "application/json", `{"status":"ok"}`), "with application/json, not Kubernetes"},
		"list":          {respond(200, "application/json", `[]`), "with application/json, not Kubernetes"},
		"empty":         {respond(200, "", ""), "sent an empty answer, not Kubernetes"},
		"not found":     {respond(404, "text/html", "<h1>"), "answered with text/html, not Kubernetes (404 Not Found)"},
		"load balancer": {respond(503, "text/plain", "no upstream"), "not Kubernetes (503 Service Unavailable)"},
		"starting": {
			respond(503, "application/json", `{"kind":"Status","status":"Failure","message":"not yet","code":503}`),
			"is not ready: not yet",
		},
		"blocked":  {respond(403, "text/html", "blocked"), "answered with text/html, not Kubernetes (403 Forbidden)"},
		"gateway":  {respond(403, "application/json", `{"type":"error","status":403}`), ""},
		"no login": {respond(401, "application/json", `{"type":"error","status":"401"}`), "(401 Unauthorized)"},
		"gzip": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, goodVersion)
			_ = z.Close()
		}, ""},
		"goaway": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			_, _ = io.WriteString(w, goodVersion)
		}, ""},
		"redirect to the prefix": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/version" {
				http.Redirect(w, r, "/k8s/version", http.StatusMovedPermanently)
				return
			}
			_, _ = io.WriteString(w, goodVersion)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(c.answer)
			s.EnableHTTP2 = true
			s.StartTLS()
			defer s.Close()
			_, err := Dial(t.Context(), flagsFor(t, s.URL, "{token: t}"), Caller{})
			checkReason(t, err, c.want)
		})
	}
}

// checkReason checks that err is an *UnavailableError with a hint whose reason ends with want, or nil for "".
func checkReason(t *testing.T, err error, want string) {
	t.Helper()
	unavailable, ok := errors.AsType[*UnavailableError](err)
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v, want no error", err)
	case want != "" && (!ok || !strings.HasSuffix(unavailable.Reason, want) || unavailable.Advice == ""):
		t.Errorf("got %v, want a reason that ends with %q", err, want)
	}
}

// A server behind a path is asked below that path, and a refused connection is reported at once.
func TestServerBehindPath(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/k8s/clusters/c-1/version" {
			http.NotFound(w, r)
			return
		}
		version(w, r)
	}))
	_, err := Dial(t.Context(), flagsFor(t, s.URL+"/k8s/clusters/c-1", "{token: t}"), Caller{})
	checkReason(t, err, "")
	s.Close()
	_, err = Dial(t.Context(), flagsFor(t, s.URL+"/k8s/clusters/c-1", "{token: t}"), Caller{})
	checkReason(t, err, "/k8s/clusters/c-1 refused the connection")
}

// proxied returns the flags of a user whose cluster is behind a proxy.
func proxied(t *testing.T, server, proxy string) *genericclioptions.ConfigFlags {
	t.Helper()
	flags := flagsFor(t, server, "{token: t}")
	path := os.Getenv("KUBECONFIG")
	text, err := os.ReadFile(path) //nolint:gosec // of this test
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "{server:", fmt.Sprintf("{proxy-url: %q, server:", proxy), 1)
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil { //nolint:gosec // of this test
		t.Fatal(err)
	}
	return flags
}

// A proxy that does not work is named, with where it is set and without its password.
func TestProxy(t *testing.T) {
	blocking := httptest.NewServer(respond(407, "text/plain", ""))
	defer blocking.Close()
	at := func(scheme, address string) string { return scheme + "://user:canary@" + address }
	address := strings.TrimPrefix(blocking.URL, "http://")
	for proxy, want := range map[string]string{
		at("http", "127.0.0.1:1"): "proxy http://127.0.0.1:1 (proxy-url in the kubeconfig) refused the connection to " +
			"https://127.0.0.1:2",
		at("https", "127.0.0.1:1"):  "refused the connection to https://127.0.0.1:2",
		at("socks5", "127.0.0.1:1"): "proxy socks5://127.0.0.1:1 (proxy-url in the kubeconfig) refused the connection to ",
		at("http", "norn-test.invalid:1"): "cannot resolve host name norn-test.invalid of proxy " +
			"http://norn-test.invalid:1 (proxy-url in the kubeconfig), which leads to https://127.0.0.1:2 (DNS)",
		at("http", address): "cannot reach https://127.0.0.1:2 through proxy http://" + address +
			" (proxy-url in the kubeconfig): Proxy Authentication Required",
		at("ftp", "127.0.0.1:1"):      `has a proxy-url with scheme "ftp", expected http, https or socks5`,
		at("http", "127.0.0.1:1/%zz"): `has an invalid proxy-url "http://127.0.0.1:1/%zz"`,
	} {
		_, err := Dial(t.Context(), proxied(t, "https://127.0.0.1:2", proxy), Caller{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v, want %s", proxy, err, want)
		}
	}
}

// The environment's proxy is not used for a server on this machine (net/http: ProxyFromEnvironment).
func TestNoProxyForLocalServer(t *testing.T) {
	if p := proxyOf(&rest.Config{Host: "https://127.0.0.1:1"}); p != nil {
		t.Errorf("got %v", p)
	}
}

// A hint offers only files that exist.
func TestMissingKubeconfig(t *testing.T) {
	home := filepath.Join(t.TempDir(), "config")
	before := clientcmd.RecommendedHomeFile
	clientcmd.RecommendedHomeFile = home
	defer func() { clientcmd.RecommendedHomeFile = before }()
	hint := func(set func(*genericclioptions.ConfigFlags)) string {
		flags := genericclioptions.NewConfigFlags(false)
		t.Setenv("KUBECONFIG", "")
		set(flags)
		_, err := Dial(t.Context(), flags, Caller{})
		unavailable, ok := errors.AsType[*UnavailableError](err)
		if !ok {
			t.Fatalf("got %v", err)
		}
		return unavailable.Advice
	}
	byFlag := func(f *genericclioptions.ConfigFlags) { *f.KubeConfig = "/nowhere/config" }
	byVariable := func(*genericclioptions.ConfigFlags) { t.Setenv("KUBECONFIG", "/nowhere/config") }
	if got := hint(byFlag); got != "correct the path" {
		t.Errorf("got %q", got)
	}
	if err := os.WriteFile(home, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := hint(byFlag), "correct the path, or omit it to use "+home; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := hint(byVariable), "correct the path, or unset it to use "+home; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Without credentials in the kubeconfig, the reason says so.
func TestMissingCredentials(t *testing.T) {
	s := httptest.NewTLSServer(respond(401, "application/json",
		`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","code":401}`))
	defer s.Close()
	for user, want := range map[string]string{
		"{}":                         `user entry "u" of the kubeconfig has no credentials (401 Unauthorized)`,
		"{username: a, password: b}": "only a user name and password, which Kubernetes no longer accepts (401 Unauthorized)",
		"{token: old}":               `rejected the credentials of user "u" of context "here" (401 Unauthorized)`,
	} {
		_, err := Dial(t.Context(), flagsFor(t, s.URL, user), Caller{})
		checkReason(t, err, want)
	}
}

func TestContextsNear(t *testing.T) {
	text := strings.Builder{}
	text.WriteString("apiVersion: v1\nkind: Config\ncontexts:\n")
	for i := range 14000 {
		fmt.Fprintf(&text, "- {name: team-%d, context: {cluster: c}}\n", i)
	}
	text.WriteString("- {name: production-eu, context: {cluster: c}}\n")
	flags := flagsFor(t, "https://127.0.0.1:1", "{}")
	path := os.Getenv("KUBECONFIG")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil { //nolint:gosec // of this test
		t.Fatal(err)
	}
	for asked, want := range map[string]string{
		"prodution-eu": "(it has 14001 contexts; did you mean production-eu?)",
		"production":   "(it has 14001 contexts; did you mean production-eu?)",
		"team-1399x":   "(it has 14001 contexts; did you mean team-1399 or team-13990 or team-13991?)",
		"minikube":     "(it has 14001 contexts)",
		"":             "has no current-context (it has 14001 contexts)",
	} {
		*flags.Context = asked
		_, err := Dial(t.Context(), flags, Caller{})
		checkReason(t, err, want)
	}
}
