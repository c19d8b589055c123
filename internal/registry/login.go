// Package registry checks whether a container registry answers and whether it accepts the login that a builder would
// use. It pushes nothing.
package registry

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"norn/internal/command"
)

// Login is the login that a builder sends to a registry. Printing it does not reveal the password.
type Login struct {
	User string // "" for a token without a user
	From string // the login file, and the credential helper if one was used

	password, token string // exactly one is set
}

// Secret returns the password or token. Callers must hide it in output.
func (l Login) Secret() string { return cmp.Or(l.password, l.token) }

// String returns the user and the origin of the login.
func (l Login) String() string {
	return fmt.Sprintf("the login of %s in %s", cmp.Or(l.User, "a token"), l.From)
}

// GoString returns the same as String.
func (l Login) GoString() string { return l.String() }

// dockerHub is the name under which docker keeps the login of docker.io.
const dockerHub = "https://index.docker.io/v1/"

// loginFile is docker's configuration file (docs.docker.com: docker login). The auth.json of podman and buildah has the
// same format (github.com/containers/image: containers-auth.json).
type loginFile struct {
	Auths map[string]struct {
		Auth          string `json:"auth"` // base64 of user:password
		IdentityToken string `json:"identitytoken"`
	} `json:"auths"`
	Store   string            `json:"credsStore"`
	Helpers map[string]string `json:"credHelpers"`
}

// FindLogin returns the login that a builder would use for a registry, HOST[:PORT][/PATH], or nil if there is none.
func FindLogin(ctx context.Context, builder, registry string) (*Login, error) {
	for _, path := range loginFiles(builder) {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read registry logins: %w", err)
		}
		var file loginFile
		if err := json.Unmarshal(data, &file); err != nil { // err could quote a password
			return nil, fmt.Errorf("invalid JSON in %s", path)
		}
		login, err := file.find(ctx, builder, registry)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if login != nil {
			login.From = path + login.From
			return login, nil
		}
	}
	return nil, nil //nolint:nilnil // a missing login is not an error
}

// usesAuthFile reports whether a builder keeps its logins in auth.json.
func usesAuthFile(builder string) bool { return builder == "podman" || builder == "buildah" }

// loginFiles returns the files where a builder looks for logins, in order.
func loginFiles(builder string) []string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = string(filepath.Separator)
	}
	docker := filepath.Join(cmp.Or(os.Getenv("DOCKER_CONFIG"), filepath.Join(home, ".docker")), "config.json")
	if !usesAuthFile(builder) {
		return []string{docker}
	}
	if path := os.Getenv("REGISTRY_AUTH_FILE"); path != "" {
		return []string{path}
	}
	own := filepath.Join(cmp.Or(os.Getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config")), "containers", "auth.json")
	if runtime.GOOS != "linux" {
		return []string{own, docker}
	}
	run := cmp.Or(os.Getenv("XDG_RUNTIME_DIR"), fmt.Sprintf("/run/containers/%d", os.Getuid()))
	if os.Getenv("XDG_RUNTIME_DIR") != "" {
		run = filepath.Join(run, "containers")
	}
	return []string{filepath.Join(run, "auth.json"), own, docker}
}

// find returns the login for a registry, or nil. A credential helper for the registry takes precedence. Only docker
// and nerdctl support a helper for all registries. Without a helper, find tries the registry's name with its path,
// then each shorter path, because a file can have logins for parts of a registry.
func (f *loginFile) find(ctx context.Context, builder, registry string) (*Login, error) {
	host, _, _ := strings.Cut(registry, "/")
	helper := f.Helpers[host]
	if helper == "" && !usesAuthFile(builder) {
		helper = f.Store
	}
	if helper != "" {
		if isDockerHub(host) {
			host = dockerHub
		}
		return askHelper(ctx, helper, host)
	}
	for _, name := range lookupNames(registry) {
		for key, entry := range f.Auths {
			if normalizeKey(key) == name && entry.Auth+entry.IdentityToken != "" {
				return entryLogin(entry.Auth, entry.IdentityToken)
			}
		}
	}
	return nil, nil //nolint:nilnil // likewise
}

// lookupNames returns the names under which a file may contain a registry's login, longest first.
func lookupNames(registry string) []string {
	host, _, _ := strings.Cut(registry, "/")
	if isDockerHub(host) {
		return []string{registry, "docker.io", "index.docker.io"}
	}
	var out []string
	for name := registry; ; {
		out = append(out, name)
		at := strings.LastIndexByte(name, '/')
		if at < 0 {
			return out
		}
		name = name[:at]
	}
}

func isDockerHub(host string) bool { return host == "docker.io" || host == "index.docker.io" }

// normalizeKey returns a key of the file without the scheme and API version, which old files include.
func normalizeKey(key string) string {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	key = strings.TrimSuffix(key, "/")
	return strings.TrimSuffix(strings.TrimSuffix(key, "/v1"), "/v2")
}

func entryLogin(auth, token string) (*Login, error) {
	text, err := base64.StdEncoding.DecodeString(auth)
	user, password, ok := strings.Cut(strings.TrimRight(string(text), "\x00"), ":")
	if err != nil || !ok && token == "" {
		return nil, errors.New("invalid login: not user:password in base64")
	}
	if token != "" {
		return &Login{User: user, token: token}, nil
	}
	return &Login{User: user, password: password}, nil
}

// askHelper asks a docker credential helper (github.com/docker/docker-credential-helpers). It returns nil without an
// error if the helper has no login for host.
func askHelper(ctx context.Context, helper, host string) (*Login, error) {
	name := "docker-credential-" + helper
	if !command.Installed(name) {
		return nil, fmt.Errorf("credential helper %s is not installed", name)
	}
	var out, errs bytes.Buffer
	err := command.RunWith(ctx, command.Options{Stdin: strings.NewReader(host), Stdout: &out, Stderr: &errs}, name, "get")
	switch {
	case err != nil && strings.Contains(out.String()+errs.String(), "credentials not found"):
		return nil, nil //nolint:nilnil // likewise
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("%s did not answer: %w", name, err)
	case err != nil: // omits the output, which could have a password
		return nil, err
	}
	var answer struct{ Username, Secret string }
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil || answer.Secret == "" {
		return nil, fmt.Errorf("unexpected output from credential helper %s", name)
	}
	if answer.Username == "<token>" {
		return &Login{From: " (" + name + ")", token: answer.Secret}, nil
	}
	return &Login{User: answer.Username, From: " (" + name + ")", password: answer.Secret}, nil
}
