package registry

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/reference"
)

const manifestText = `{"schemaVersion":2}`

var manifestDigest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(manifestText)))

// images serves one image, team/shop:1. named says whether the answers name its digest.
func images(named bool, methods string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/v2/team/shop/manifests/1":
			w.WriteHeader(http.StatusNotFound)
			return
		case !strings.Contains(methods, r.Method):
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		case !strings.Contains(r.Header.Get("Accept"), "application/vnd.oci.image.index.v1+json"):
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		if named {
			w.Header().Set("Docker-Content-Digest", manifestDigest)
		}
		_, _ = io.WriteString(w, manifestText)
	}
}

// closed serves images only to a token for user me, or to anybody's token if public is set.
func closed(base string, public bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password, sent := r.BasicAuth()
		switch {
		case r.URL.Path == "/token" && r.FormValue("scope") != "repository:team/shop:pull":
			w.WriteHeader(http.StatusBadRequest)
		case r.URL.Path == "/token" && (user == "me" && password == canary || public && !sent):
			_ = json.NewEncoder(w).Encode(map[string]string{"token": "t"})
		case r.Header.Get("Authorization") == "Bearer t":
			images(true, "HEAD")(w, r)
		default:
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="s"`, base))
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
}

// elsewhere redirects to a registry that must not get the login.
func elsewhere(t *testing.T) http.HandlerFunc {
	t.Helper()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the login was sent to another server")
		}
		images(true, "HEAD")(w, r)
	}))
	t.Cleanup(target.Close)
	return func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, target.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}
}

func TestDigest(t *testing.T) {
	me, wrong := &Login{User: "me", password: canary}, &Login{User: "me", password: "wrong", From: "a file"}
	fixed := func(h http.HandlerFunc) func(string) http.HandlerFunc {
		return func(string) http.HandlerFunc { return h }
	}
	broken := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	private := func(base string) http.HandlerFunc { return closed(base, false) }
	public := func(base string) http.HandlerFunc { return closed(base, true) }
	for _, c := range []struct {
		name   string
		tag    string
		login  *Login
		handle func(base string) http.HandlerFunc
		wrong  string
	}{
		{"open", "1", nil, fixed(images(true, "HEAD")), ""},
		{"digest not named", "1", nil, fixed(images(false, "HEAD GET")), ""},
		{"HEAD not allowed", "1", nil, fixed(images(true, "GET")), ""},
		{"missing", "2", nil, fixed(images(true, "HEAD")), "has no image"},
		{"public, token required", "1", nil, public, ""},
		{"public, expired login", "1", wrong, public, ""},
		{"private", "1", me, private, ""},
		{"private, no login", "1", nil, private, "requires a login, and this machine has none"},
		{"private, wrong login", "1", wrong, private, "rejected the login of me in a file"},
		{"redirect", "1", me, fixed(elsewhere(t)), ""},
		{"broken", "1", nil, fixed(broken), "502"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var server *httptest.Server
			server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c.handle(server.URL)(w, r)
			}))
			defer server.Close()
			named, err := reference.ParseNormalizedNamed(strings.TrimPrefix(server.URL, "http://") + "/team/shop:" + c.tag)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Digest(t.Context(), named.(reference.NamedTagged), c.login)
			refused, _ := errors.AsType[*Error](err)
			switch {
			case c.wrong == "":
				if err != nil || got != manifestDigest {
					t.Errorf("%q, %v; want %s", got, err, manifestDigest)
				}
			case refused == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), canary):
				t.Errorf("error %v, want %q", err, c.wrong)
			case refused.Missing != (c.name == "missing"):
				t.Errorf("missing: %t", refused.Missing)
			}
		})
	}
}
