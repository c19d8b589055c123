package image

import "regexp"

// madeTag is a tag that norn makes: a commit's first digits.
var madeTag = regexp.MustCompile(`^[0-9a-f]{12}(-dirty(\.\d+)?)?$`)

// Beyond returns the tags made by norn, without the newest keep of them. tags must be sorted newest first.
func Beyond(tags []string, keep int) []string {
	var ours []string
	for _, t := range tags {
		if madeTag.MatchString(t) {
			ours = append(ours, t)
		}
	}
	return ours[min(keep, len(ours)):]
}
