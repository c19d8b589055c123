package objects

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
)

// ImageError says that a text is no image reference.
type ImageError struct {
	Image string
	Err   error
}

// Error names the text and what is wrong with it.
func (e *ImageError) Error() string { return fmt.Sprintf("image %q: %v", e.Image, e.Err) }

// Hint is what an image reference looks like.
func (e *ImageError) Hint() string { return "an image is [REGISTRY/]NAME[:TAG][@DIGEST]" }

func (e *ImageError) Unwrap() error { return e.Err }

// PullPolicy is the policy for an image: IfNotPresent where the reference names a registry, Never
// for a bare local one, which can only have been loaded into the node.
// What is no image reference is an *ImageError.
func PullPolicy(image string) (corev1.PullPolicy, error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", &ImageError{image, err}
	}
	if strings.HasPrefix(image, reference.Domain(named)+"/") {
		return corev1.PullIfNotPresent, nil
	}
	return corev1.PullNever, nil
}
