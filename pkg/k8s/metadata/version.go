package metadata

import "strings"

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

// VersionName returns the name of a version for messages: its short commit or, if unknown, its image without registry
// and digest.
func VersionName(commit, image string) string {
	if commit != "" {
		return ShortCommit(commit)
	}
	name, _, _ := strings.Cut(image, "@")
	return name[strings.LastIndexByte(name, '/')+1:]
}
