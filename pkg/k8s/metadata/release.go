package metadata

import (
	"slices"
	"strconv"
	"strings"
)

// Release is a release of an app with several processes. The zero Release is that of an app with one process, whose
// revisions are its releases.
type Release struct {
	Number    int64
	Processes []string
}

// maxReleases is how many releases the mark of a ReplicaSet names.
const maxReleases = 30

// In reports whether a ReplicaSet is marked as part of a release.
func (m Marks) In(r Release) bool {
	return r.Number == 0 || slices.ContainsFunc(m.Releases, func(has Release) bool {
		return has.Number == r.Number && slices.Equal(has.Processes, r.Processes)
	})
}

// Join returns m as part of one more release.
func (m Marks) Join(r Release) Marks {
	if m.In(r) {
		return m
	}
	all := slices.DeleteFunc(slices.Clone(m.Releases), func(has Release) bool { return has.Number == r.Number })
	all = append(all, r)
	m.Releases = all[max(0, len(all)-maxReleases):]
	return m
}

// String returns the release for the mark of a ReplicaSet, such as 3=main,worker.
func (r Release) String() string {
	return strconv.FormatInt(r.Number, 10) + "=" + strings.Join(r.Processes, ",")
}

// releasesMark returns the value of the annotation that names releases.
func releasesMark(releases []Release) string {
	texts := make([]string, len(releases))
	for i, r := range releases {
		texts[i] = r.String()
	}
	return strings.Join(texts, " ")
}

// parseReleases returns the releases in the value of an annotation.
func parseReleases(text string) []Release {
	var out []Release
	for field := range strings.FieldsSeq(text) {
		number, processes, found := strings.Cut(field, "=")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && found {
			out = append(out, Release{n, strings.Split(processes, ",")})
		}
	}
	return out
}
