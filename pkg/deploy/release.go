package deploy

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// release is a release in the history of an app: a revision of each process. Its own Revision describes it as a whole.
type release struct {
	k8s.Revision
	processes []string                // the names of its processes, sorted
	partial   bool                    // the cluster does not have the revisions of all its processes, or norn knows none
	reduced   bool                    // one of its processes is gone
	earlier   []int64                 // its numbers from before a rollback or a restore went back to it
	parts     map[string]k8s.Revision // by process; processes that are CronJobs, or that have gone, have none
}

// Version returns the release's version for messages.
func (r release) Version() string { return metadata.VersionName(r.Commit, r.Image) }

// releasesOf returns the revisions of the only process of an app as releases.
func releasesOf(process string, revisions []k8s.Revision) []release {
	all := make([]release, 0, len(revisions))
	for _, v := range revisions {
		all = append(all, release{Revision: v, parts: map[string]k8s.Revision{process: v}})
	}
	return all
}

// same reports whether two releases run the same versions.
func (r release) same(other release) bool {
	return maps.EqualFunc(r.parts, other.parts, func(a, b k8s.Revision) bool {
		return k8s.SameVersion(a.Set.Spec.Template, b.Set.Spec.Template)
	})
}

// restorable reports whether a rollback can restore the release.
func (r release) restorable(app string) bool {
	for _, part := range r.parts {
		if !k8s.Restorable(part.Set, app) {
			return false
		}
	}
	return true
}

// Numbered reports whether the releases of an app have numbers of their own, because it had several processes. norn
// marks the revisions of such an app, even when a single process is left.
func Numbered(histories map[string][]k8s.Revision) bool { return firstRelease(histories) < noRelease }

// noRelease is a number beyond those of all releases.
const noRelease = math.MaxInt64

// grouped returns the releases that the revisions of an app's processes form, newest first. running are the names of
// the processes that run now. Revisions without a mark of norn form releases by their image: those from before the app
// had several processes have their own numbers, and those of others have none.
func grouped(histories map[string][]k8s.Revision, running []string) []release {
	all, unmarked := map[int64]*release{}, map[string]*release{}
	first := firstRelease(histories)
	for _, process := range slices.Sorted(maps.Keys(histories)) {
		for _, v := range histories[process] {
			for _, mark := range v.Releases {
				in := all[mark.Number]
				if in == nil {
					in = &release{processes: mark.Processes, parts: map[string]k8s.Revision{}}
					all[mark.Number] = in
				}
				in.parts[process] = v
			}
			switch {
			case len(v.Releases) > 0:
			case process == infraspec.MainProcess && v.Number < first:
				all[v.Number] = &release{processes: []string{process}, parts: map[string]k8s.Revision{process: v}}
			case unmarked[v.Image] == nil:
				unmarked[v.Image] = &release{parts: map[string]k8s.Revision{process: v}}
			default:
				if _, newer := unmarked[v.Image].parts[process]; !newer {
					unmarked[v.Image].parts[process] = v
				}
			}
		}
	}
	var out []release
	for _, number := range slices.Backward(slices.Sorted(maps.Keys(all))) {
		r := all[number]
		r.describe(number)
		r.reduced = slices.ContainsFunc(r.processes, func(process string) bool {
			_, has := histories[process]
			return !has && !slices.Contains(running, process)
		})
		if r.partial = !r.complete(histories); r.partial && r.Failed == "" {
			continue
		}
		if newer := slices.IndexFunc(out, r.repeats); newer >= 0 {
			out[newer].earlier = append(out[newer].earlier, number)
			continue
		}
		out = append(out, *r)
	}
	for i := 1; i < len(out); i++ { // a part that a newer release went back to is as young as that one
		if out[i].Since.After(out[i-1].Since) {
			out[i].Since = out[i-1].Since
		}
	}
	for _, r := range unmarked {
		r.partial = true
		r.describe(0)
		out = append(out, *r)
	}
	slices.SortStableFunc(out, func(a, b release) int {
		return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(b.Number, a.Number))
	})
	markCurrent(out, running)
	return out
}

// firstRelease returns the lowest number of a marked release, or noRelease.
func firstRelease(histories map[string][]k8s.Revision) int64 {
	first := int64(noRelease)
	for _, history := range histories {
		for _, v := range history {
			for _, mark := range v.Releases {
				first = min(first, mark.Number)
			}
		}
	}
	return first
}

// complete reports whether the cluster still has the revisions of all processes that it has a history of.
func (r release) complete(histories map[string][]k8s.Revision) bool {
	for _, process := range r.processes {
		_, has := r.parts[process]
		if _, known := histories[process]; known && !has {
			return false
		}
	}
	return true
}

// repeats reports whether a newer release has the same revisions, because a rollback went back to them.
func (r release) repeats(newer release) bool {
	return slices.Equal(r.processes, newer.processes) &&
		maps.EqualFunc(r.parts, newer.parts, func(a, b k8s.Revision) bool { return a.Set == b.Set })
}

// describe sets the Revision of a release as a whole: that of its newest part, with the outcome of all.
func (r *release) describe(number int64) {
	verified, proven := true, true
	for _, process := range slices.Sorted(maps.Keys(r.parts)) {
		v := r.parts[process]
		if r.Set == nil || v.Since.After(r.Since) {
			failed, restored := r.Failed, r.Restored
			r.Revision = v
			r.Failed, r.Restored = failed, restored
		}
		last := len(v.Releases) == 0 || v.Releases[len(v.Releases)-1].Number == number
		if last {
			r.Failed = cmp.Or(r.Failed, v.Failed)
		}
		verified = verified && (v.Verified || v.Idle || v.Proven && !last)
		proven = proven && (v.Proven || v.Idle)
		r.Restored = r.Restored || v.Restored
	}
	r.Number, r.Verified, r.Proven, r.Current = number, verified && r.Failed == "", proven, false
}

// markCurrent marks the release that runs, if a process does: one whose revisions all run, if possible with the same
// processes, else with the most. Others may have changed, suspended or removed a process of every release. Then the
// release of the most revisions that run is current.
func markCurrent(all []release, running []string) {
	var best *release
	var most []int
	for i := range all {
		r := &all[i]
		runs := 0
		for process, part := range r.parts {
			if part.Current && slices.Contains(running, process) {
				runs++
			}
		}
		rank := []int{0, 0, runs}
		if runs == len(r.parts) {
			rank[0] = 1
		}
		if r.processes == nil || slices.Equal(r.processes, running) {
			rank[1] = 1
		}
		if runs > 0 && slices.Compare(rank, most) > 0 {
			best, most = r, rank
		}
	}
	if best != nil {
		best.Current = true
	}
}
