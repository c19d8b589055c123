package registry

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/distribution/reference"
)

// manifestTypes are the types of what a tag can name (github.com/opencontainers/image-spec: media-types.md;
// distribution.github.io: Image Manifest V 2, Schema 2).
const manifestTypes = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, " +
	"application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"

// validDigest matches a digest that Kubernetes accepts in an image's name.
var validDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

const maxManifest = 4 << 20 // bytes; the limit of the distribution specification

// Digest returns the digest of the image that a tag names now (distribution.github.io: HTTP API V2, Pulling an Image
// Manifest). It sends login, which may be nil, only if the registry requires one. It returns an *Error if the registry
// does not return the image.
func Digest(ctx context.Context, image reference.NamedTagged, login *Login) (string, error) {
	host := reference.Domain(image)
	c := newClient(host, Loopback(host), login)
	c.repository, c.actions = reference.Path(image), "pull"
	address := c.base + "/v2/" + c.repository + "/manifests/" + image.Tag()
	header := ""
	found, err := c.manifest(ctx, http.MethodHead, address, header)
	if err == nil && found.code == http.StatusUnauthorized {
		if header, err = c.authorization(ctx, found.challenge); err == nil && header != "" {
			found, err = c.manifest(ctx, http.MethodHead, address, header)
		}
	}
	if err == nil && (found.code == http.StatusOK && found.digest == "" || found.code == http.StatusMethodNotAllowed) {
		found, err = c.manifest(ctx, http.MethodGet, address, header)
	}
	switch {
	case err != nil:
		return "", err
	case found.code == http.StatusOK && found.digest != "":
		return found.digest, nil
	case found.code == http.StatusNotFound:
		return "", &Error{Text: host + " has no image " + image.String(), Missing: true}
	case found.code != http.StatusUnauthorized && found.code != http.StatusForbidden:
		return "", &Error{Text: fmt.Sprintf("%s responded with %s", host, found.status)}
	case login == nil:
		return "", &Error{Text: host + " requires a login, and this machine has none"}
	}
	return "", &Error{Text: fmt.Sprintf("%s rejected %s", host, login)}
}

// authorization returns the value of an Authorization header that answers a challenge, or "" if there is none.
func (c *client) authorization(ctx context.Context, challenge string) (string, error) {
	scheme, parameters := parseChallenge(challenge)
	if scheme != "bearer" {
		return c.login.basic(), nil
	}
	token, err := c.token(ctx, parameters)
	if err == nil && token == "" && c.login != nil { // a public image needs no login, so an expired one is harmless
		c.login = nil
		token, err = c.token(ctx, parameters)
	}
	if err != nil || token == "" {
		return "", err
	}
	return "Bearer " + token, nil
}

// manifest requests an image's manifest. The reply has the manifest's digest instead of the manifest.
func (c *client) manifest(ctx context.Context, method, address, authorization string) (reply, error) {
	resp, err := fetch(ctx, method, address, manifestTypes, authorization)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	out := replyTo(resp)
	if named := resp.Header.Get("Docker-Content-Digest"); validDigest.MatchString(named) {
		out.digest = named
	} else if method == http.MethodGet && resp.StatusCode == http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxManifest))
		if err != nil {
			return reply{}, unreachable(c.host(), err)
		}
		out.digest = fmt.Sprintf("sha256:%x", sha256.Sum256(body))
	}
	return out, nil
}

// publicRedirect returns a client that follows redirects without the login. For example, registry.k8s.io redirects to
// the registry of a cloud.
func publicRedirect() *http.Client {
	const most = 5
	return &http.Client{CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) > most || req.URL.Scheme != "https" && !Loopback(req.URL.Host) {
			return http.ErrUseLastResponse
		}
		req.Header.Del("Authorization")
		return nil
	}}
}
