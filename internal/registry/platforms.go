package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// manifest is an image's manifest or an index of manifests (github.com/opencontainers/image-spec: manifest.md,
// image-index.md).
type manifest struct {
	Manifests []struct {
		Digest   string
		Platform *platform
	}
	Config struct{ Digest string }
}

// platform is a platform in an index, or in the configuration of an image.
type platform struct{ OS, Architecture, Variant string }

// String returns the platform as builders write it, or "" if it is unknown. Attestations have the platform unknown
// (docs.docker.com: Image attestation storage).
func (p platform) String() string {
	if p.OS == "" || p.Architecture == "" || p.OS == "unknown" {
		return ""
	}
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

// Platforms returns the platforms of an image in a registry, such as linux/amd64. image has a tag or a digest.
// Platforms sends login like Digest, and fails like it.
func Platforms(ctx context.Context, image reference.Named, login *Login) ([]string, error) {
	host := reference.Domain(image)
	c := newClient(host, Loopback(host), login)
	c.repository, c.actions = reference.Path(image), "pull"
	var m manifest
	if err := c.read(ctx, "/manifests/"+version(image), manifestTypes, &m); err != nil {
		return nil, err
	}
	var out []string
	add := func(p platform) {
		if text := p.String(); text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	for _, child := range m.Manifests {
		if child.Platform != nil {
			add(*child.Platform)
		}
	}
	if len(m.Manifests) == 0 && validDigest.MatchString(m.Config.Digest) {
		var p platform
		if err := c.read(ctx, "/blobs/"+m.Config.Digest, "*/*", &p); err != nil {
			return nil, err
		}
		add(p)
	}
	if len(out) == 0 {
		return nil, &Error{Text: host + " does not name a platform of " + image.String()}
	}
	return out, nil
}

// version returns an image's digest, or else its tag.
func version(image reference.Named) string {
	switch i := image.(type) {
	case reference.Digested:
		return i.Digest().String()
	case reference.Tagged:
		return i.Tag()
	}
	return "latest"
}

// read decodes a JSON document of the repository.
func (c *client) read(ctx context.Context, path, accept string, into any) error {
	address, header := c.base+"/v2/"+c.repository+path, ""
	found, err := c.document(ctx, address, accept, header)
	if err == nil && found.code == http.StatusUnauthorized {
		if header, err = c.authorization(ctx, found.challenge); err == nil && header != "" {
			found, err = c.document(ctx, address, accept, header)
		}
	}
	switch {
	case err != nil:
		return err
	case found.code != http.StatusOK:
		return &Error{Text: fmt.Sprintf("%s responded with %s", address, found.status)}
	case json.Unmarshal(found.body, into) != nil:
		return &Error{Text: address + " is not JSON"}
	}
	return nil
}

func (c *client) document(ctx context.Context, address, accept, authorization string) (reply, error) {
	resp, err := fetch(ctx, http.MethodGet, address, accept, authorization)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	out := replyTo(resp)
	if out.body, err = io.ReadAll(io.LimitReader(resp.Body, maxManifest)); err != nil {
		return reply{}, unreachable(c.host(), err)
	}
	return out, nil
}
