package image

import (
	"fmt"
	corev1 "k8s.io/api/core/v1"
	"strconv"
	"strings"
	"time"

	"norn/internal/registry"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// RedactRegistry returns a registry's address without a login, which does not belong there.
func RedactRegistry(registry string) string {
	if at := strings.LastIndexByte(registry, '@'); at >= 0 && strings.Contains(registry[:at], ":") {
		return "…" + registry[at:]
	}
	return registry
}

// PushedName returns the name of an image in a registry, or a *pipeline.UsageError if no cluster could pull it.
func PushedName(registry, app, tag string) (string, error) {
	image := fmt.Sprintf("%s/%s:%s", strings.TrimSuffix(registry, "/"), app, tag)
	if policy, err := objects.PullPolicy(image); err != nil || policy == corev1.PullNever {
		return "", &pipeline.UsageError{Problem: fmt.Sprintf("%q is no registry that a cluster could pull from", RedactRegistry(registry)), Advice: "a registry is HOST[:PORT][/PATH], without https://"}
	}
	return image, nil
}

// PlainHTTP reports whether the registry of an image is on this machine, where norn does not require TLS.
func PlainHTTP(image string) bool {
	host, _, _ := strings.Cut(image, "/")
	return registry.Loopback(host)
}

// LoadedName returns the name of an image that is loaded and not pushed. Builds of a checkout with changes share their
// commit: the time tells them apart, since such an image has no digest that would.
func LoadedName(app, tag string, at time.Time) string {
	image := app + ":" + tag
	if strings.HasSuffix(tag, metadata.DirtySuffix) {
		image += "." + strconv.FormatInt(at.Unix(), 10)
	}
	return image
}
