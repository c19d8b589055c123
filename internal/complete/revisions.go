package complete

import (
	"context"
	"strconv"

	"norn/pkg/deploy"
)

// Revisions returns the numbers of the revisions in the history of an app, newest first, and then their commits if
// commits is set.
func Revisions(ctx context.Context, c Cluster, ns, app string, commits bool) []Value {
	entries, _ := deploy.History(ctx, c, ns, app)
	var numbers, versions []Value
	for _, e := range entries {
		if e.Revision == 0 { // of others, or not complete
			continue
		}
		number, about := strconv.FormatInt(e.Revision, 10), ", "+ago(e.Created)
		switch {
		case e.Current:
			about += ", current"
		case e.Failed != "":
			about += ", failed"
		case !e.Verified:
			about += ", not watched"
		}
		numbers = append(numbers, Value{number, e.Version() + about})
		versions = append(versions, Value{e.Version(), "revision " + number + about})
	}
	if !commits {
		return numbers
	}
	return append(numbers, versions...)
}
