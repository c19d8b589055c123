package image

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/internal/registry"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// RedactRegistry returns a registry's address without credentials, which some users put there by mistake.
func RedactRegistry(registry string) string {
	if at := strings.LastIndexByte(registry, '@'); at >= 0 && strings.Contains(registry[:at], ":") {
		return "…" + registry[at:]
	}
	return registry
}

// PushedName returns an image's name in a registry, or a *pipeline.UsageError if a cluster could not pull from there.
func PushedName(registry, app, tag string) (string, error) {
	image := fmt.Sprintf("%s/%s:%s", strings.TrimSuffix(registry, "/"), app, tag)
	if policy, err := objects.PullPolicy(image); err != nil || policy == corev1.PullNever {
		return "", &pipeline.UsageError{
			Problem: fmt.Sprintf("invalid registry %q", RedactRegistry(registry)),
			Advice:  "write it as HOST[:PORT][/PATH], without https://",
		}
	}
	return image, nil
}

// PlainHTTP reports whether an image's registry is on this machine. norn then requires no TLS.
func PlainHTTP(image string) bool {
	host, _, _ := strings.Cut(image, "/")
	return registry.Loopback(host)
}

// LoadedName returns the name of an image that is loaded instead of pushed. Builds of uncommitted changes share a
// commit, and a loaded image has no digest, so the name contains the time.
func LoadedName(app, tag string, at time.Time) string {
	image := app + ":" + tag
	if strings.HasSuffix(tag, metadata.DirtySuffix) {
		image += "." + strconv.FormatInt(at.Unix(), 10)
	}
	return image
}
