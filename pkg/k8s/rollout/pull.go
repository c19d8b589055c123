package rollout

import (
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// How long a node may be without an image.
const (
	pullPatience = 15 * time.Second // until the node reaches the registry
	// busyPatience is how long a registry may answer too slowly, or that it is too busy. The kubelet tries four times.
	busyPatience = 90 * time.Second
	// loadPatience is how long a node may take to notice an image that was just loaded into its containerd. The kubelet
	// looks again after 10 to 15 seconds.
	loadPatience = 20 * time.Second
)

// Patterns for the messages of container runtimes and registries about a failed pull. The kubelet passes their text
// on, with one reason for all of them (github.com/containerd/containerd/core/remotes/docker, github.com/moby/moby,
// github.com/distribution/distribution).
var (
	wrongPlatform = regexp.MustCompile(`(?i)no match(ing manifest)? for (platform|\w+/\w+)|` +
		`does not match the specified platform`)
	pullForbidden = regexp.MustCompile(`(?i)\bunauthorized\b|\b40[13]\b|\bforbidden\b|access denied|` +
		`authorization failed|failed to authorize|authentication required|insufficient_scope|no basic auth credentials`)
	pullNotFound = regexp.MustCompile(`(?i)not found|manifest unknown|name unknown|\b404\b|no such image`)
	pullBusy     = regexp.MustCompile(`(?i)timeout|timed out|deadline exceeded|reset by peer|\bEOF\b|\b50[234]\b|` +
		`too many requests|\b429\b`)
	pullUnreachable = regexp.MustCompile(`(?i)connection refused|no such host|temporary failure|unreachable|\btls\b|` +
		`certificate|\b50\d\b`)
)

func pullFailure(o Observation, p *corev1.Pod, s corev1.ContainerStatus, w corev1.ContainerStateWaiting) Verdict {
	cause := pullCause(o, p, w)
	image := s.Image
	if c := container(p, s.Name); c != nil {
		image = c.Image
	}
	text := strings.ReplaceAll(cause, image, "") // the image's name may contain any of the words below
	switch {
	case w.Reason == "InvalidImageName":
		return failed(ImagePull, "invalid image name %q: %s", image, cause)
	case w.Reason == "ErrImageNeverPull":
		return stalled(ImageNotFound, loadPatience, "image %s is not on the node, and local images are never pulled", image)
	case wrongPlatform.MatchString(text):
		return failed(WrongArchitecture, "image %s is not built for the node's platform: %s", image, cause)
	case pullForbidden.MatchString(text):
		return failed(RegistryRefused, "the registry does not allow the node to pull image %s: %s", image, cause)
	case pullBusy.MatchString(text):
		return stalled(ImagePull, busyPatience, "the node cannot pull image %s: %s", image, cause)
	case pullUnreachable.MatchString(text): // before "not found", which DNS errors contain too
		return stalled(ImagePull, pullPatience, "the node cannot pull image %s: %s", image, cause)
	case pullNotFound.MatchString(text):
		if strings.Trim(text, ": ") == "not found" {
			return failed(ImageNotFound, "image %s does not exist", image)
		}
		return failed(ImageNotFound, "image %s does not exist: %s", image, cause)
	}
	return stalled(ImagePull, pullPatience, "the node cannot pull image %s: %s", image, cause)
}

// pullSteps matches the nested prefixes in containerd's errors, which name its step and the image. The cause comes
// last.
var pullSteps = regexp.MustCompile(`(?:Back-off pulling image|failed to pull and unpack image|` +
	`failed to resolve reference) "[^"]*": |ErrImagePull: |failed to do request: `)

// pullCause returns why the node cannot pull the image. During a back-off, older kubelets report the cause only in an
// event.
func pullCause(o Observation, p *corev1.Pod, w corev1.ContainerStateWaiting) string {
	cause := brief(w.Message, w.Reason)
	if w.Reason == "ImagePullBackOff" && !strings.Contains(cause, "ErrImagePull") {
		e := o.lastEvent(p.UID, func(e *corev1.Event) bool {
			return e.Reason == "Failed" && strings.Contains(e.Message, "pull")
		})
		if e != nil {
			cause = brief(e.Message, e.Reason)
		}
	}
	if _, rest, found := strings.Cut(cause, "rpc error: code = "); found {
		if _, text, ok := strings.Cut(rest, "desc = "); ok {
			cause = text
		}
	}
	return pullSteps.ReplaceAllString(cause, "")
}
