package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const canary = "canary-password"

// home is a home folder of the test's own, in which name holds text.
func home(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	for _, variable := range []string{"DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_CONFIG_HOME"} {
		t.Setenv(variable, "")
	}
	t.Setenv("HOME", dir)
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(dir, "run"))
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func auths(pairs ...string) string {
	entries := map[string]map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		entries[pairs[i]] = map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(pairs[i+1]))}
	}
	text, _ := json.Marshal(map[string]any{"auths": entries})
	return string(text)
}

func TestFindLogin(t *testing.T) {
	for _, c := range []struct {
		name, file, text, builder, registry string
		user                                string // "" is none
	}{
		{"docker's", ".docker/config.json", auths("registry.example.com", "me:"+canary), "docker", "registry.example.com/team", "me"},
		{"of another registry", ".docker/config.json", auths("other.example.com", "me:"+canary), "docker", "registry.example.com", ""},
		{"with scheme and version", ".docker/config.json", auths("https://registry.example.com/v1/", "me:"+canary), "docker", "registry.example.com", "me"},
		{"Docker Hub's", ".docker/config.json", auths("https://index.docker.io/v1/", "me:"+canary), "docker", "docker.io/team", "me"},
		{"a port is another registry", ".docker/config.json", auths("registry.example.com", "me:"+canary), "docker", "registry.example.com:5000", ""},
		{"buildah's own", "run/containers/auth.json", auths("registry.example.com", "own:"+canary), "buildah", "registry.example.com", "own"},
		{"buildah takes docker's", ".docker/config.json", auths("registry.example.com", "me:"+canary), "buildah", "registry.example.com", "me"},
		{"docker does not take buildah's", "run/containers/auth.json", auths("registry.example.com", "own:"+canary), "docker", "registry.example.com", ""},
		{"of a part of the registry", ".config/containers/auth.json", auths("registry.example.com", "all:"+canary, "registry.example.com/team", "team:"+canary), "podman", "registry.example.com/team", "team"},
		{"an entry without a login", ".docker/config.json", `{"auths":{"registry.example.com":{}}}`, "docker", "registry.example.com", ""},
		{"an identity token", ".docker/config.json", `{"auths":{"registry.example.com":{"auth":"bWU6","identitytoken":"` + canary + `"}}}`, "docker", "registry.example.com", "me"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := home(t, c.file, c.text)
			got, err := FindLogin(t.Context(), c.builder, c.registry)
			if err != nil {
				t.Fatal(err)
			}
			if c.user == "" {
				if got != nil {
					t.Errorf("found %v, want none", got)
				}
				return
			}
			if got == nil || got.User != c.user || got.From != filepath.Join(dir, c.file) || got.Secret() != canary {
				t.Fatalf("found %v, want that of %s", got, c.user)
			}
			for _, text := range []string{got.String(), fmt.Sprint(got), fmt.Sprintf("%v %s %#v", *got, *got, *got)} {
				if strings.Contains(text, canary) {
					t.Errorf("it shows itself with its password: %s", text)
				}
			}
		})
	}
}

// A file that is broken is named, and not quoted.
func TestFindLoginBroken(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":          `{"auths": ` + canary,
		"not base64":        `{"auths":{"registry.example.com":{"auth":"` + canary + `%"}}}`,
		"no helper":         `{"credsStore":"nosuch"}`,
		"no helper for one": `{"credHelpers":{"registry.example.com":"nosuch"}}`,
	} {
		dir := home(t, ".docker/config.json", text)
		got, err := FindLogin(t.Context(), "docker", "registry.example.com")
		if got != nil || err == nil || !strings.Contains(err.Error(), filepath.Join(dir, ".docker", "config.json")) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// A credential helper gets the registry's name and none of norn's keys.
func TestHelper(t *testing.T) {
	for _, c := range []struct{ name, script, user, wrong string }{
		{"login", `echo '{"ServerURL":"x","Username":"me","Secret":"` + canary + `"}'`, "me", ""},
		{"token", `echo '{"Username":"<token>","Secret":"` + canary + `"}'`, "", ""},
		{"none", "echo credentials not found in native keychain; exit 1", "nobody", ""},
		{"broken", "echo " + canary, "", "did not answer as a credential helper does"},
		{"failing", "echo " + canary + "; exit 3", "", "exit status 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := home(t, ".docker/config.json", `{"credsStore":"test"}`)
			script := "#!/bin/sh\ntest -z \"$SOPS_AGE_KEY$NORN_GIT_TOKEN\" || exit 9\ntest \"$1 $(cat)\" = 'get registry.example.com' || exit 8\n" + c.script + "\n"
			if err := os.WriteFile(filepath.Join(dir, "docker-credential-test"), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
			t.Setenv("SOPS_AGE_KEY", canary)
			t.Setenv("NORN_GIT_TOKEN", canary)
			got, err := FindLogin(t.Context(), "docker", "registry.example.com/team")
			switch {
			case c.wrong != "":
				if err == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), canary) {
					t.Errorf("error %v, want %q", err, c.wrong)
				}
			case c.user == "nobody":
				if got != nil || err != nil {
					t.Errorf("%v, %v; want none", got, err)
				}
			case err != nil || got == nil || got.User != c.user || got.Secret() != canary || !strings.Contains(got.From, "docker-credential-test"):
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

// token is a JWT of a registry's token server.
func token(access string) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{}`)) + "." + part([]byte(`{"access":`+access+`}`)) + ".x"
}

// asked starts a registry and returns what it answers to a login.
func asked(t *testing.T, login *Login, repository string, handle func(base string) http.HandlerFunc) (Answer, error) {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(server.URL)(w, r) }))
	defer server.Close()
	return Ask(t.Context(), Question{Registry: strings.TrimPrefix(server.URL, "http://") + "/team", Plain: true, Login: login, Repository: repository})
}

func TestAsk(t *testing.T) {
	basic := func(base string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if user, password, _ := r.BasicAuth(); user != "me" || password != canary {
				w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
				w.WriteHeader(http.StatusUnauthorized)
			}
		}
	}
	bearer := func(granted string) func(string) http.HandlerFunc {
		return func(base string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				user, password, _ := r.BasicAuth()
				switch {
				case r.URL.Path == "/token" && r.Method == http.MethodPost && r.FormValue("refresh_token") == canary,
					r.URL.Path == "/token" && r.FormValue("scope") == "repository:team/shop:pull,push" && r.FormValue("service") == "reg, istry" && user == "me" && password == canary:
					_ = json.NewEncoder(w).Encode(map[string]string{"access_token": granted})
				case r.URL.Path == "/v2/" && granted != "" && r.Header.Get("Authorization") == "Bearer "+granted:
				default:
					w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="reg, istry"`, base))
					w.WriteHeader(http.StatusUnauthorized)
				}
			}
		}
	}
	code := func(status int) func(string) http.HandlerFunc {
		return func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
		}
	}
	elsewhere := func(string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://192.0.2.1/token"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	// The login goes to what was asked, and nowhere that it leads to.
	astray := func(base string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/lured":
				t.Errorf("the login was sent on: %v", r.Header)
			case r.Header.Get("Authorization") != "":
				http.Redirect(w, r, base+"/lured", http.StatusTemporaryRedirect)
			default:
				basic(base)(w, r)
			}
		}
	}
	me, other, identity := &Login{User: "me", password: canary}, &Login{User: "me", password: "wrong"}, &Login{User: "me", token: canary}
	for _, c := range []struct {
		name   string
		login  *Login
		handle func(string) http.HandlerFunc
		want   Answer
		wrong  string
	}{
		{"open", nil, code(http.StatusOK), Open, ""},
		{"basic", me, basic, Accepted, ""},
		{"basic, wrong", other, basic, Refused, ""},
		{"basic, none", nil, basic, LoginRequired, ""},
		{"bearer", me, bearer(token(`[{"type":"repository","name":"team/shop","actions":["pull","push"]}]`)), Accepted, ""},
		{"bearer, opaque", me, bearer("opaque"), Accepted, ""},
		{"bearer, wrong", other, bearer("opaque"), Refused, ""},
		{"bearer, none", nil, bearer("opaque"), LoginRequired, ""},
		{"bearer, reads only", me, bearer(token(`[{"type":"repository","name":"team/shop","actions":["pull"]}]`)), NoPush, ""},
		{"bearer, nothing", me, bearer(token(`[]`)), NoPush, ""},
		{"bearer, which does not say", me, bearer(token(`null`)), Accepted, ""},
		{"identity token", identity, bearer("opaque"), Accepted, ""},
		{"no registry", me, code(http.StatusNotFound), 0, "did not answer as a registry does: 404"},
		{"broken", me, code(http.StatusBadGateway), 0, "502"},
		{"astray", me, astray, 0, "answered the login with 307"},
		{"tokens without TLS", me, elsewhere, 0, "over which no login is sent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := asked(t, c.login, "shop", c.handle)
			if c.wrong == "" && (err != nil || got != c.want) {
				t.Errorf("%d, %v; want %d", got, err, c.want)
			}
			if c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), canary)) {
				t.Errorf("error %v, want %q", err, c.wrong)
			}
		})
	}
}

// A certificate that this machine does not trust is told apart: a builder may have been told to trust it.
func TestUntrusted(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake is what is tested
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for _, url := range []string{secure.URL, plain.URL} {
		_, host, _ := strings.Cut(url, "://")
		_, err := Ask(t.Context(), Question{Registry: host})
		if e, ok := errors.AsType[*Error](err); !ok || !e.Untrusted {
			t.Errorf("%s: %v", url, err)
		}
	}
	secure.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ctx := range []context.Context{t.Context(), ended} {
		if _, err := Ask(ctx, Question{Registry: strings.TrimPrefix(secure.URL, "https://")}); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
			t.Errorf("%v", err)
		}
	}
}
