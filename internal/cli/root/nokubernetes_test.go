package root

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"norn/internal/ui"
	"norn/test/bed"
)

// norn runs one command and returns its exit code and its output.
func norn(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	s := ui.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}
	code = Run(t.Context(), append([]string{"norn"}, args...), s)
	return code, out.String(), errs.String()
}

// wantUnavailable checks the form of an error about a missing cluster: an exact first line, a reason and a hint.
func wantUnavailable(t *testing.T, first, reason string, code int, stdout, stderr string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	if code != 3 || stdout != "" || len(lines) != 3 {
		t.Fatalf("exit code %d, stdout %q, stderr:\n%s", code, stdout, stderr)
	}
	if lines[0] != "Error: "+first {
		t.Errorf("first line %q, want %q", lines[0], "Error: "+first)
	}
	if !strings.HasPrefix(lines[1], "Reason: ") || !strings.Contains(lines[1], reason) {
		t.Errorf("second line %q, want a Reason with %q", lines[1], reason)
	}
	if !strings.HasPrefix(lines[2], "Hint: ") || len(lines[2]) < 12 {
		t.Errorf("third line %q, want a Hint", lines[2])
	}
	for _, never := range []string{"localhost:8080", "sEcReT-tOkEn", "goroutine"} {
		if strings.Contains(stderr, never) {
			t.Errorf("stderr holds %q:\n%s", never, stderr)
		}
	}
}

// Every command that needs the cluster names itself in the error.
func TestEveryCommandRequiresKubernetes(t *testing.T) {
	for _, c := range []struct {
		first string
		args  []string
	}{
		{"deploy requires Kubernetes", []string{"deploy"}},
		{"restart requires Kubernetes", []string{"restart"}},
		{"rollback requires Kubernetes", []string{"rollback"}},
		{"log streaming requires Kubernetes", []string{"logs"}},
		{"forge requires Kubernetes", []string{"forge"}},
		{"teardown requires Kubernetes", []string{"teardown", "--yes"}},
	} {
		t.Run(c.args[0], func(t *testing.T) {
			bed.EmptyHome(t)
			code, out, errs := norn(t, c.args...)
			wantUnavailable(t, c.first, "no kubeconfig", code, out, errs)
		})
	}
}

// Each kind of broken kubeconfig has its own reason.
func TestNoKubernetesByConfiguration(t *testing.T) {
	whole := bed.FakeKubeconfig("https://127.0.0.1:1", nil)
	for _, c := range []struct {
		name, text, reason string
		args               []string
	}{
		{"empty", "", "is empty", nil},
		{
			"no current-context", strings.Replace(whole, "current-context: here\n", "", 1),
			"has no current-context (its contexts: here)", nil,
		},
		{
			"unknown current-context", strings.Replace(whole, "current-context: here", "current-context: there", 1),
			`context "there" not found`, nil,
		},
		{"unknown --context", whole, `context "there" not found`, []string{"--context", "there"}},
		{"context without cluster", strings.Replace(whole, "cluster: c, ", "", 1), "names no cluster", nil},
		{
			"cluster entry missing", strings.Replace(whole, "[{name: c,", "[{name: other,", 1),
			`names cluster "c", which does not exist`, nil,
		},
		{
			"user entry missing", strings.Replace(whole, "[{name: u,", "[{name: other,", 1),
			`names user "u", which does not exist`, nil,
		},
		{
			"cluster without server", strings.Replace(whole, `server: "https://127.0.0.1:1", `, "", 1),
			"no server address", nil,
		},
		{"not YAML", "clusters: [", "cannot read kubeconfig", nil},
		{"not base64", strings.Replace(whole, `data: ""`, `data: "%%%"`, 1), "cannot read kubeconfig", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := bed.EmptyHome(t)
			path := filepath.Join(home, "config")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("KUBECONFIG", path)
			code, out, errs := norn(t, append([]string{"forge"}, c.args...)...)
			wantUnavailable(t, "forge requires Kubernetes", c.reason, code, out, errs)
			if !strings.Contains(errs, path) {
				t.Errorf("the file is not named:\n%s", errs)
			}
		})
	}
}

// If a variable holds the text of a kubeconfig instead of its path, norn does not print the text, which contains
// credentials.
func TestKubeconfigTextForPath(t *testing.T) {
	text := bed.FakeKubeconfig("https://127.0.0.1:1", bytes.Repeat([]byte("x"), 4096))
	for _, wrong := range []string{
		text, base64.StdEncoding.EncodeToString([]byte(text)), `{"users": [{"user": {"token": "sEcReT-tOkEn"}}]}`,
	} {
		bed.EmptyHome(t)
		code, out, errs := norn(t, "forge", "--kubeconfig", wrong)
		reason := " must be a file path, but contains a kubeconfig itself"
		wantUnavailable(t, "forge requires Kubernetes", "--kubeconfig"+reason, code, out, errs)
		t.Setenv("KUBECONFIG", wrong)
		code, out, errs = norn(t, "forge")
		wantUnavailable(t, "forge requires Kubernetes", "KUBECONFIG"+reason, code, out, errs)
		if strings.Contains(errs, "eHh4eHh4") {
			t.Error("its base64 is printed")
		}
	}
}

func TestNoKubernetesMissingFile(t *testing.T) {
	home := bed.EmptyHome(t)
	missing := filepath.Join(home, "gone")
	t.Run("KUBECONFIG", func(t *testing.T) {
		t.Setenv("KUBECONFIG", missing)
		code, out, errs := norn(t, "forge")
		reason := "KUBECONFIG names " + missing + ", which does not exist"
		wantUnavailable(t, "forge requires Kubernetes", reason, code, out, errs)
	})
	t.Run("flag", func(t *testing.T) {
		code, out, errs := norn(t, "forge", "--kubeconfig", missing)
		reason := "--kubeconfig names " + missing + ", which does not exist"
		wantUnavailable(t, "forge requires Kubernetes", reason, code, out, errs)
	})
}

// refusingAddress returns an address that refuses connections during the test: a connection to a server has the port,
// so nobody else listens on it.
func refusingAddress(t *testing.T, server net.Addr) string {
	t.Helper()
	c, err := net.Dial(server.Network(), server.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.LocalAddr().String()
}

// Each kind of server problem has its own reason.
func TestNoKubernetesByServer(t *testing.T) {
	silent := listen(t) // the kernel accepts connections, but nobody answers
	defer func() { _ = silent.Close() }()
	refusing := refusingAddress(t, silent.Addr())
	unauthorized := server(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","code":401}`)
	}))
	page := server(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<html>nothing here</html>", http.StatusNotFound)
	}))
	_, otherCA := certificate(t, time.Now().Add(time.Hour))
	expired := server(t, http.NotFoundHandler())
	pair, expiredCA := certificate(t, time.Now().Add(-time.Hour))
	expired.TLS.Certificates = []tls.Certificate{pair}

	for _, c := range []struct {
		name, server string
		ca           []byte
		reason, wait string
	}{
		{
			"connection refused", "https://" + refusing, nil,
			refusing + " refused the connection", "30s",
		},
		{
			"DNS failure", "https://norn-test.invalid:6443", nil,
			`cannot resolve host name norn-test.invalid of context "here"`, "30s",
		},
		{"never answers", "https://" + silent.Addr().String(), nil, "did not answer within 1s", "1s"},
		{"certificate not trusted", unauthorized.URL, otherCA, "is signed by an unknown authority", "30s"},
		{"certificate expired", expired.URL, expiredCA, "expired or is not yet valid", "30s"},
		{"401", unauthorized.URL, caOf(unauthorized), `rejected the credentials of user "u"`, "30s"},
		{"not Kubernetes", page.URL, caOf(page), "answered with text/plain, not Kubernetes (404 Not Found)", "30s"},
		{"not an address", "https://127.0.0.1:notaport", nil, "cannot be", "30s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := bed.EmptyHome(t)
			path := filepath.Join(home, "config")
			if err := os.WriteFile(path, []byte(bed.FakeKubeconfig(c.server, c.ca)), 0o600); err != nil {
				t.Fatal(err)
			}
			code, out, errs := norn(t, "deploy", "--kubeconfig", path, "--request-timeout", c.wait)
			wantUnavailable(t, "deploy requires Kubernetes", c.reason, code, out, errs)
		})
	}
}

// A 403 comes from a working cluster. The error names the missing permission, and the exit code is 1.
func TestForbiddenIsNotUnavailable(t *testing.T) {
	home := bed.EmptyHome(t)
	s := server(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if req.URL.Path == "/version" {
			_, _ = io.WriteString(w, `{"major":"1","minor":"37"}`)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,
			"message":"deployments.apps \"shop\" is forbidden: User \"ci\" cannot get resource \"deployments\"`+
			` in API group \"apps\" in the namespace \"default\""}`)
	}))
	path := filepath.Join(home, "config")
	if err := os.WriteFile(path, []byte(bed.FakeKubeconfig(s.URL, caOf(s))), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := norn(t, "restart", "shop", "--kubeconfig", path)
	want := `user "ci" is not allowed to get deployments.apps in namespace default`
	if code != 1 || !strings.Contains(errs, want) {
		t.Errorf("exit code %d, want 1 and %q in:\n%s", code, want, errs)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func server(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // these tests cause failed handshakes
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func caOf(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// certificate returns a self-signed certificate for 127.0.0.1 that expires at notAfter.
func certificate(t *testing.T, notAfter time.Time) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: notAfter.Add(-24 * time.Hour), NotAfter: notAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return pair, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
