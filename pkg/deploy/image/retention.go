package image

import "regexp"

// nornTag matches the tags that norn makes: the first digits of a commit.
var nornTag = regexp.MustCompile(`^[0-9a-f]{12}(-dirty(\.\d+)?)?$`)

// Beyond returns norn's tags beyond the newest keep. The tags must be sorted newest first.
func Beyond(tags []string, keep int) []string {
	var made []string
	for _, t := range tags {
		if nornTag.MatchString(t) {
			made = append(made, t)
		}
	}
	return made[min(keep, len(made)):]
}
