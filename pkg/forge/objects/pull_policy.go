package objects

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
)

// ImageError reports an invalid image reference.
type ImageError struct {
	Image string
	Err   error
}

// Error names the reference and the cause.
func (e *ImageError) Error() string { return fmt.Sprintf("image %q: %v", e.Image, e.Err) }

// Hint returns advice.
func (e *ImageError) Hint() string { return "write the image as [REGISTRY/]NAME[:TAG][@DIGEST]" }

// Unwrap returns the cause.
func (e *ImageError) Unwrap() error { return e.Err }

// PullPolicy returns the pull policy for an image: Never if the reference names no registry, because only an image
// loaded into the node has none. Otherwise it returns Kubernetes' own defaults (kubernetes.io: Images, Default image
// pull policy): Always for the tag latest without a digest, else IfNotPresent. It returns an *ImageError for an invalid
// reference.
func PullPolicy(image string) (corev1.PullPolicy, error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", &ImageError{image, err}
	}
	if !strings.HasPrefix(image, reference.Domain(named)+"/") {
		return corev1.PullNever, nil
	}
	_, pinned := named.(reference.Digested)
	tagged, _ := reference.TagNameOnly(named).(reference.Tagged)
	if !pinned && tagged.Tag() == "latest" {
		return corev1.PullAlways, nil
	}
	return corev1.PullIfNotPresent, nil
}
