package metadata

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	// DirtySuffix ends a commit, in annotations and tags, if the image has uncommitted changes.
	DirtySuffix = "-dirty"
	// CommitDigits is the number of a commit's digits in messages and image tags.
	CommitDigits = 12
)

// ShortCommit returns the first CommitDigits of a commit, with its DirtySuffix.
func ShortCommit(commit string) string {
	digits, dirty := strings.CutSuffix(commit, DirtySuffix)
	digits = digits[:min(len(digits), CommitDigits)]
	if dirty {
		return digits + DirtySuffix
	}
	return digits
}

// Shipped returns the annotations with which norn shipped an image. The Deployment's controller copies them to every
// ReplicaSet, even to one whose image somebody else set: for such an image, Shipped returns none.
func Shipped(annotations map[string]string, image string) map[string]string {
	shipped, recorded := annotations[ImageAnnotation]
	commit := annotations[CommitAnnotation]
	switch {
	case recorded && shipped == image:
	case !recorded && (commit == "" || tagOf(image) == ShortCommit(commit)): // an older norn, which recorded no image
	default:
		return nil
	}
	return annotations
}

// tagOf returns an image's tag, or "".
func tagOf(image string) string {
	_, tag, _ := splitImage(image)
	return tag
}

// splitImage returns the repository, the tag and the digest of an image. The last two may be "".
func splitImage(image string) (repository, tag, digest string) {
	name, digest, _ := strings.Cut(image, "@")
	last := strings.LastIndexByte(name, '/') + 1
	short, tag, _ := strings.Cut(name[last:], ":")
	return name[:last] + short, tag, digest
}

// SameImage reports whether two names of images with a digest name the same image in the same repository. Their tags
// may differ, because a digest decides which image nodes pull.
func SameImage(a, b string) bool {
	repositoryA, _, digestA := splitImage(a)
	repositoryB, _, digestB := splitImage(b)
	return digestA != "" && digestA == digestB && repositoryA == repositoryB
}

// VersionName returns the name of a version for messages: its short commit or, if unknown, its image without registry
// and digest.
func VersionName(commit, image string) string {
	if commit != "" {
		return ShortCommit(commit)
	}
	name, _, _ := strings.Cut(image, "@")
	return name[strings.LastIndexByte(name, '/')+1:]
}

// ImageOf returns the image of an app's container. It returns "" for a pod without containers.
func ImageOf(pod corev1.PodSpec, app string) string {
	c := AppContainer(&pod, app)
	if c == nil {
		return ""
	}
	return c.Image
}

// AppContainer returns an app's container: the one named after the app, else the first. It returns nil for a pod
// without containers. The others are sidecars, added by hand or by an admission controller, at any place in the list.
func AppContainer(pod *corev1.PodSpec, app string) *corev1.Container {
	if len(pod.Containers) == 0 {
		return nil
	}
	i := slices.IndexFunc(pod.Containers, func(c corev1.Container) bool { return c.Name == app })
	return &pod.Containers[max(0, i)]
}
