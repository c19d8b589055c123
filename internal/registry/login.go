// Package registry finds out whether a container registry answers, and whether it takes the login that a builder would use. It only asks:
// nothing is pushed.
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

// Login is what a builder sends to a registry. It shows itself without the password.
type Login struct {
	User string // "" where the login is a token alone
	From string // the file that has it, with the credential helper's name where one was asked

	password, token string // one of the two
}

// Secret is the password or token, for whoever keeps it out of what is shown.
func (l Login) Secret() string { return cmp.Or(l.password, l.token) }

// String is the user and the place.
func (l Login) String() string {
	return fmt.Sprintf("the login of %s in %s", cmp.Or(l.User, "a token"), l.From)
}

// GoString is like String.
func (l Login) GoString() string { return l.String() }

// dockerHub is the name under which docker keeps the login of docker.io.
const dockerHub = "https://index.docker.io/v1/"

// loginFile is docker's configuration file (docs.docker.com: docker login), which podman's and buildah's auth.json is like
// (github.com/containers/image: containers-auth.json).
type loginFile struct {
	Auths map[string]struct {
		Auth          string `json:"auth"` // base64 of user:password
		IdentityToken string `json:"identitytoken"`
	} `json:"auths"`
	Store   string            `json:"credsStore"`
	Helpers map[string]string `json:"credHelpers"`
}

// FindLogin finds the login for a registry, HOST[:PORT][/PATH], where the builder called so looks for it; none is nil.
func FindLogin(ctx context.Context, builder, registry string) (*Login, error) {
	for _, path := range loginFiles(builder) {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the registries' logins: %w", err)
		}
		var file loginFile
		if err := json.Unmarshal(data, &file); err != nil { // its text could quote the file
			return nil, fmt.Errorf("%s is not the JSON that it should be", path)
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
	return nil, nil //nolint:nilnil // no login is no error
}

// engineless are the builders that keep logins by rules of their own.
func engineless(builder string) bool { return builder == "podman" || builder == "buildah" }

// loginFiles are where a builder looks for logins, in its order.
func loginFiles(builder string) []string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = string(filepath.Separator)
	}
	docker := filepath.Join(cmp.Or(os.Getenv("DOCKER_CONFIG"), filepath.Join(home, ".docker")), "config.json")
	if !engineless(builder) {
		return []string{docker}
	}
	if named := os.Getenv("REGISTRY_AUTH_FILE"); named != "" {
		return []string{named}
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

// find looks a registry up. Where a helper is named for it, the helper has the last word; only docker and nerdctl know of one for all
// registries. Otherwise it is looked for under its name with the path and all shorter ones, since there may be logins for parts of a registry.
func (f *loginFile) find(ctx context.Context, builder, registry string) (*Login, error) {
	host, _, _ := strings.Cut(registry, "/")
	helper := f.Helpers[host]
	if helper == "" && !engineless(builder) {
		helper = f.Store
	}
	if helper != "" {
		if isDockerHub(host) {
			host = dockerHub
		}
		return askHelper(ctx, helper, host)
	}
	for _, name := range names(registry) {
		for key, entry := range f.Auths {
			if bare(key) == name && entry.Auth+entry.IdentityToken != "" {
				return entryLogin(entry.Auth, entry.IdentityToken)
			}
		}
	}
	return nil, nil //nolint:nilnil // likewise
}

// names are a registry's name and what may stand for it, the longest first.
func names(registry string) []string {
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

// bare is a key of the file without scheme and the API's version, which old ones have.
func bare(key string) string {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	key = strings.TrimSuffix(key, "/")
	return strings.TrimSuffix(strings.TrimSuffix(key, "/v1"), "/v2")
}

func entryLogin(auth, token string) (*Login, error) {
	text, err := base64.StdEncoding.DecodeString(auth)
	user, password, ok := strings.Cut(strings.TrimRight(string(text), "\x00"), ":")
	if err != nil || !ok && token == "" {
		return nil, errors.New("the login in it is not base64 of user:password")
	}
	if token != "" {
		return &Login{User: user, token: token}, nil
	}
	return &Login{User: user, password: password}, nil
}

// askHelper asks docker's credential helper (github.com/docker/docker-credential-helpers). One that has no login for host is no error.
func askHelper(ctx context.Context, helper, host string) (*Login, error) {
	name := "docker-credential-" + helper
	if !command.Installed(name) {
		return nil, fmt.Errorf("it leaves logins to %s, which is not installed", name)
	}
	var out, errs bytes.Buffer
	err := command.RunWith(ctx, command.Options{Stdin: strings.NewReader(host), Stdout: &out, Stderr: &errs}, name, "get")
	switch {
	case err != nil && strings.Contains(out.String()+errs.String(), "credentials not found"):
		return nil, nil //nolint:nilnil // likewise
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("%s did not answer: %w", name, err)
	case err != nil: // what it printed may be anything
		return nil, err
	}
	var answer struct{ Username, Secret string }
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil || answer.Secret == "" {
		return nil, fmt.Errorf("%s did not answer as a credential helper does", name)
	}
	if answer.Username == "<token>" {
		return &Login{From: " (" + name + ")", token: answer.Secret}, nil
	}
	return &Login{User: answer.Username, From: " (" + name + ")", password: answer.Secret}, nil
}
