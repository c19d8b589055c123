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

// home creates a home folder for the test, with text in the file name, and returns its path.
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
	const dockerFile = ".docker/config.json"
	const runFile, configFile = "run/containers/auth.json", ".config/containers/auth.json"
	const example, team = "registry.example.com", "registry.example.com/team"
	noLogin := `{"auths":{"registry.example.com":{}}}`
	identityToken := `{"auths":{"registry.example.com":{"auth":"bWU6","identitytoken":"` + canary + `"}}}`
	for _, c := range []struct {
		name, file, text, builder, registry string
		user                                string // "" for no login
	}{
		{"docker", dockerFile, auths(example, "me:"+canary), "docker", team, "me"},
		{"other registry", dockerFile, auths("other.example.com", "me:"+canary), "docker", example, ""},
		{"scheme and version", dockerFile, auths("https://"+example+"/v1/", "me:"+canary), "docker", example, "me"},
		{"Docker Hub", dockerFile, auths("https://index.docker.io/v1/", "me:"+canary), "docker", "docker.io/team", "me"},
		{"other port", dockerFile, auths(example, "me:"+canary), "docker", example + ":5000", ""},
		{"buildah", runFile, auths(example, "own:"+canary), "buildah", example, "own"},
		{"buildah reads docker's file", dockerFile, auths(example, "me:"+canary), "buildah", example, "me"},
		{"docker ignores buildah's file", runFile, auths(example, "own:"+canary), "docker", example, ""},
		{"part of the registry", configFile, auths(example, "all:"+canary, team, "team:"+canary), "podman", team, "team"},
		{"entry without a login", dockerFile, noLogin, "docker", example, ""},
		{"identity token", dockerFile, identityToken, "docker", example, "me"},
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
				t.Fatalf("found %v, want the login of %s", got, c.user)
			}
			for _, text := range []string{got.String(), fmt.Sprint(got), fmt.Sprintf("%v %s %#v", *got, *got, *got)} {
				if strings.Contains(text, canary) {
					t.Errorf("a printed login reveals its password: %s", text)
				}
			}
		})
	}
}

// An error about an invalid file names the file but does not quote it.
func TestFindLoginInvalid(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":                `{"auths": ` + canary,
		"not base64":              `{"auths":{"registry.example.com":{"auth":"` + canary + `%"}}}`,
		"missing helper":          `{"credsStore":"nosuch"}`,
		"missing registry helper": `{"credHelpers":{"registry.example.com":"nosuch"}}`,
	} {
		dir := home(t, ".docker/config.json", text)
		got, err := FindLogin(t.Context(), "docker", "registry.example.com")
		path := filepath.Join(dir, ".docker", "config.json")
		if got != nil || err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// A credential helper receives the registry's name but none of norn's keys.
func TestCredentialHelper(t *testing.T) {
	for _, c := range []struct{ name, script, user, wrong string }{
		{"login", `echo '{"ServerURL":"x","Username":"me","Secret":"` + canary + `"}'`, "me", ""},
		{"token", `echo '{"Username":"<token>","Secret":"` + canary + `"}'`, "", ""},
		{"none", "echo credentials not found in native keychain; exit 1", "nobody", ""},
		{"broken", "echo " + canary, "", "unexpected output from credential helper"},
		{"failing", "echo " + canary + "; exit 3", "", "exit status 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := home(t, ".docker/config.json", `{"credsStore":"test"}`)
			script := "#!/bin/sh\ntest -z \"$SOPS_AGE_KEY$NORN_GIT_TOKEN\" || exit 9\n" +
				"test \"$1 $(cat)\" = 'get registry.example.com' || exit 8\n" + c.script + "\n"
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
			case err != nil || got == nil || got.User != c.user || got.Secret() != canary:
				t.Errorf("%v, %v", got, err)
			case !strings.Contains(got.From, "docker-credential-test"):
				t.Errorf("login from %q, want the helper's name in it", got.From)
			}
		})
	}
}

// token returns a JWT with these permissions.
func token(access string) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{}`)) + "." + part([]byte(`{"access":`+access+`}`)) + ".x"
}

// ask starts a registry and asks it about a login and the repository shop.
func ask(t *testing.T, login *Login, handle func(base string) http.HandlerFunc) (Answer, error) {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle(server.URL)(w, r)
	}))
	defer server.Close()
	name := strings.TrimPrefix(server.URL, "http://") + "/team"
	return Ask(t.Context(), Question{Registry: name, Plain: true, Login: login, Repository: "shop"})
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
				byToken := r.Method == http.MethodPost && r.FormValue("refresh_token") == canary
				byPassword := r.FormValue("scope") == "repository:team/shop:pull,push" &&
					r.FormValue("service") == "reg, istry" && user == "me" && password == canary
				switch {
				case r.URL.Path == "/token" && (byToken || byPassword):
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
	plainTokens := func(string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://192.0.2.1/token"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	// norn does not follow redirects with a login.
	redirecting := func(base string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/redirected":
				t.Errorf("norn followed the redirect: %v", r.Header)
			case r.Header.Get("Authorization") != "":
				http.Redirect(w, r, base+"/redirected", http.StatusTemporaryRedirect)
			default:
				basic(base)(w, r)
			}
		}
	}
	me, identity := &Login{User: "me", password: canary}, &Login{User: "me", token: canary}
	wrong := &Login{User: "me", password: "wrong"}
	pushes := `[{"type":"repository","name":"team/shop","actions":["pull","push"]}]`
	pulls := `[{"type":"repository","name":"team/shop","actions":["pull"]}]`
	for _, c := range []struct {
		name   string
		login  *Login
		handle func(string) http.HandlerFunc
		want   Answer
		wrong  string
	}{
		{"open", nil, code(http.StatusOK), Open, ""},
		{"basic", me, basic, Accepted, ""},
		{"basic, wrong", wrong, basic, Refused, ""},
		{"basic, no login", nil, basic, LoginRequired, ""},
		{"bearer", me, bearer(token(pushes)), Accepted, ""},
		{"bearer, opaque", me, bearer("opaque"), Accepted, ""},
		{"bearer, wrong", wrong, bearer("opaque"), Refused, ""},
		{"bearer, no login", nil, bearer("opaque"), LoginRequired, ""},
		{"bearer, pull only", me, bearer(token(pulls)), NoPush, ""},
		{"bearer, no permissions", me, bearer(token(`[]`)), NoPush, ""},
		{"bearer, permissions not listed", me, bearer(token(`null`)), Accepted, ""},
		{"identity token", identity, bearer("opaque"), Accepted, ""},
		{"not a registry", me, code(http.StatusNotFound), 0, "did not respond like a registry: 404"},
		{"bad gateway", me, code(http.StatusBadGateway), 0, "502"},
		{"redirect", me, redirecting, 0, "responded to the login with 307"},
		{"tokens without TLS", me, plainTokens, 0, "norn does not send the login to it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ask(t, c.login, c.handle)
			switch {
			case c.wrong == "":
				if err != nil || got != c.want {
					t.Errorf("%d, %v; want %d", got, err, c.want)
				}
			case err == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), canary):
				t.Errorf("error %v, want %q", err, c.wrong)
			}
		})
	}
}

// An untrusted certificate is a distinct error, because a builder may be configured to trust it.
func TestUntrusted(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // the failed handshake is expected
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
		_, err := Ask(ctx, Question{Registry: strings.TrimPrefix(secure.URL, "https://")})
		if err == nil || !strings.Contains(err.Error(), "cannot be reached") {
			t.Errorf("stopped server: error %v", err)
		}
	}
}
