package rollout

import (
	"errors"
	"slices"

	"norn/pkg/k8s"
)

// RevisionToRestore returns the revision to restore if a change of the app fails. That is the current revision if it is
// verified or its Pods are available, else the last verified one. It does not matter who rolled it out. A revision that
// has only failed is never restored, even if its Pods are available for a moment.
func RevisionToRestore(newestFirst []k8s.Revision) (k8s.Revision, bool) {
	for _, v := range newestFirst {
		available := v.Set.Status.AvailableReplicas > 0 && (v.Failed == "" || v.Proven)
		if v.Current && (v.Verified || available) {
			return v, true
		}
	}
	return lastGood(newestFirst)
}

// The reasons why there is no revision to restore.
var (
	errNoVerified = errors.New("no earlier verified version to roll back to")
	errRanAlready = errors.New("this version already ran")
)

// restoreTarget returns the revision that replaces the failed, current one: the revision that ran before, else the last
// verified one. If the change kept a version that norn has seen running, another version would not run better. For
// example, the nodes may have no room for more replicas. Then restoreTarget returns only a revision of the same
// version, whose Pods may still be running, or none.
func (r *runner) restoreTarget(newestFirst []k8s.Revision, unchanged bool) (k8s.Revision, error) {
	var others, same []k8s.Revision
	for _, v := range newestFirst {
		if !v.Current && k8s.Restorable(v.Set, r.App) {
			others = append(others, v)
		}
		if k8s.SameVersion(v.Set.Spec.Template, r.applied.Spec.Template) {
			same = append(same, v)
		}
	}
	if unchanged && slices.ContainsFunc(same, func(v k8s.Revision) bool { return v.Proven }) {
		return r.sameVersion(same)
	}
	if ran := slices.IndexFunc(others, r.ranBefore); ran >= 0 {
		return others[ran], nil
	}
	target, found := lastGood(others)
	if !found {
		return target, errNoVerified
	}
	return target, nil
}

// sameVersion returns the revision to restore among those of the failed version: the one that ran before. If norn has
// not seen the current one running, sameVersion returns one that is verified: its Pods may start with other values.
func (r *runner) sameVersion(newestFirst []k8s.Revision) (k8s.Revision, error) {
	var verified []k8s.Revision
	proven := false
	for _, v := range newestFirst {
		switch {
		case v.Current:
			proven = v.Proven
		case r.ranBefore(v):
			return v, nil
		case v.Verified:
			verified = append(verified, v)
		}
	}
	if target, found := lastGood(verified); found && !proven {
		return target, nil
	}
	return k8s.Revision{}, errRanAlready
}

func (r *runner) ranBefore(v k8s.Revision) bool { return r.RanBefore != "" && v.Set.UID == r.RanBefore }

// lastGood returns the verified revision whose Pods are available, else the verified one that was rolled out last. If
// no revision is verified, it returns the last one that failed after norn had verified it. A higher number can be
// older: Kubernetes gives an old ReplicaSet a new number if a paused Deployment briefly has its template.
func lastGood(newestFirst []k8s.Revision) (last k8s.Revision, found bool) {
	for _, v := range newestFirst {
		if v.Proven && (!found || better(v, last)) {
			last, found = v, true
		}
	}
	return last, found
}

func better(a, b k8s.Revision) bool {
	available := func(v k8s.Revision) bool { return v.Set.Status.AvailableReplicas > 0 }
	switch {
	case a.Verified != b.Verified:
		return a.Verified
	case available(a) != available(b):
		return available(a)
	}
	return a.Since.After(b.Since)
}
