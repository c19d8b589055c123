package k8s

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
)

// PullPolicy is the policy for an image: IfNotPresent where the reference names a registry, Never
// for a bare local one, which can only have been loaded into the node.
func PullPolicy(image string) (corev1.PullPolicy, error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", fmt.Errorf("image %q: %w", image, err)
	}
	if strings.HasPrefix(image, reference.Domain(named)+"/") {
		return corev1.PullIfNotPresent, nil
	}
	return corev1.PullNever, nil
}
