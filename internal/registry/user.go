package registry

import (
	"context"

	"github.com/distribution/reference"
)

// User returns the user that an image's configuration sets, or "" (github.com/opencontainers/image-spec: config.md).
// For an index, it returns the user of the first image. It returns an error if the registry does not return the image.
func User(ctx context.Context, image reference.Named, login *Login) (string, error) {
	host := reference.Domain(image)
	c := newClient(host, Loopback(host), login)
	c.repository, c.actions = reference.Path(image), "pull"
	m := manifest{}
	if err := c.read(ctx, "/manifests/"+version(image), manifestTypes, &m); err != nil {
		return "", err
	}
	if len(m.Manifests) > 0 {
		first := m.Manifests[0].Digest
		if !validDigest.MatchString(first) {
			return "", &Error{Text: host + " did not return an image of the index " + image.String()}
		}
		m = manifest{}
		if err := c.read(ctx, "/manifests/"+first, manifestTypes, &m); err != nil {
			return "", err
		}
	}
	if !validDigest.MatchString(m.Config.Digest) {
		return "", &Error{Text: host + " did not return the configuration of " + image.String()}
	}
	var config struct{ Config struct{ User string } }
	err := c.read(ctx, "/blobs/"+m.Config.Digest, "*/*", &config)
	return config.Config.User, err
}
