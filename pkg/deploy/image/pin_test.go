package image

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// registryWith starts a registry with the image shop:1 and shop:latest, and returns its address. With a password it
// requires a login.
func registryWith(t *testing.T, digest, password string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, sent, _ := r.BasicAuth()
		switch {
		case sent != password:
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/v2/shop/manifests/1", r.URL.Path == "/v2/shop/manifests/latest":
			w.Header().Set("Docker-Content-Digest", digest)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestPin(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	for _, name := range []string{"DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"} {
		t.Setenv(name, "")
	}
	digest := "sha256:" + strings.Repeat("a", 64)
	open, private := registryWith(t, digest, ""), registryWith(t, digest, "canary")
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	gone := strings.TrimPrefix(closed.URL, "http://")
	file := filepath.Join(home, ".docker", "config.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	const withLogin, without = `{"auths":{"HOST":{"auth":"bWU6Y2FuYXJ5"}}}`, `{}` // me:canary
	const noHelper = `{"credHelpers":{"HOST":"nosuch"}}`
	for _, c := range []struct{ image, login, want, warning string }{
		{open + "/shop:1", without, open + "/shop:1@" + digest, ""},
		{open + "/shop", without, open + "/shop:latest@" + digest, ""},
		{open + "/shop:1@sha256:" + strings.Repeat("b", 64), without, open + "/shop:1@sha256:" + strings.Repeat("b", 64), ""},
		{open + "/shop:2", without, open + "/shop:2", "has no image"},
		{private + "/shop:1", withLogin, private + "/shop:1@" + digest, ""},
		{private + "/shop:1", without, private + "/shop:1", "a node that already has this tag runs its own copy"},
		{private + "/shop:latest", without, private + "/shop:latest", "each new Pod pulls the image that the tag names then"},
		{private + "/shop:1", noHelper, private + "/shop:1", "credential helper docker-credential-nosuch"},
		{gone + "/shop", without, gone + "/shop", "cannot be reached"},
		{"shop:1", without, "shop:1", ""},
	} {
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(c.login, "HOST", private)), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		got, err := Pin(t.Context(), &out, c.image, "", nil)
		if err != nil || got != c.want || !strings.Contains(out.String(), c.warning) || c.warning == "" && out.Len() > 0 {
			t.Errorf("Pin(%q) = %q, %v with %q; want %q with %q", c.image, got, err, out.String(), c.want, c.warning)
		}
	}
	hidden := ""
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(withLogin, "HOST", private)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _ = Pin(t.Context(), io.Discard, private+"/shop:1", "docker", func(_, value string) { hidden = value })
	if hidden != "canary" {
		t.Errorf("%q was passed to hide", hidden)
	}
}
