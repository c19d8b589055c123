package rollout

import (
	"context"
	"errors"
	"slices"

	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// maxExtra is the number of revisions that norn keeps in addition to artifacts.retain: failed ones, and restarts of a
// version that a newer revision has too.
const maxExtra = 5

// trim deletes the revisions beyond artifacts.retain. Kubernetes would delete the oldest revisions first, so a few
// failed deploys or restarts would leave nothing to go back to. objects.Deployment therefore lets it keep more. A
// failure is only a warning, because it only makes the history longer.
func (r *runner) trim(ctx context.Context) {
	if r.Spec == nil {
		return
	}
	d, err := r.cluster.GetDeployment(ctx, r.Namespace, r.Workload())
	if err != nil {
		return
	}
	revisions, err := r.cluster.Revisions(ctx, d)
	if err != nil {
		return
	}
	for _, v := range surplus(revisions, r.Spec.Artifacts.Retain) {
		err := r.cluster.DeleteReplicaSet(ctx, v.Set)
		if _, denied := errors.AsType[*k8s.DeniedError](err); denied {
			return
		}
		if err != nil {
			pipeline.Warn(r.out, "revision %d was not removed from the history: %v", inHistory(v).Number, err)
			return
		}
	}
}

// surplus returns the revisions to delete: those of the versions beyond the newest retain, and the failed and repeated
// ones beyond the newest maxExtra. Versions that norn has not seen running do not displace verified ones. It keeps the
// current revision and those with Pods.
func surplus(newestFirst []k8s.Revision, retain int) []k8s.Revision {
	var out []k8s.Revision
	verified, good, extra := 0, 0, 0
	for i, v := range newestFirst {
		if v.Current || v.Number == 0 {
			continue
		}
		repeated := slices.ContainsFunc(newestFirst[:i], func(newer k8s.Revision) bool {
			return newer.Failed == "" && (newer.Verified || !v.Verified) &&
				k8s.SameVersion(newer.Set.Spec.Template, v.Set.Spec.Template)
		})
		var kept bool
		switch {
		case v.Failed != "" && !v.Proven, repeated:
			extra++
			kept = extra <= min(retain, maxExtra)
		case v.Proven:
			verified, good = verified+1, good+1
			kept = verified <= retain
		default:
			good++
			kept = good <= retain
		}
		if kept {
			continue
		}
		if replicas := v.Set.Spec.Replicas; v.Set.Status.Replicas == 0 && replicas != nil && *replicas == 0 {
			out = append(out, v)
		}
	}
	return out
}
