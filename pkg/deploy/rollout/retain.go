package rollout

import (
	"context"
	"errors"

	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// maxFailures is the number of failed revisions that norn keeps in the history, beside the good ones.
const maxFailures = 5

// trim deletes the revisions beyond artifacts.retain. Kubernetes would delete the oldest revisions first, so a few
// failed deploys would leave nothing to go back to. objects.Deployment therefore lets it keep more than retain. A
// failure is only a warning, and without the permission the history is longer.
func (r *runner) trim(ctx context.Context) {
	if r.Spec == nil {
		return
	}
	d, err := r.cluster.GetDeployment(ctx, r.Namespace, r.App)
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
			pipeline.Warn(r.out, "revision %d was not removed from the history: %v", v.Number, err)
			return
		}
	}
}

// surplus returns the revisions to delete: the good ones beyond the newest retain, and the failed ones beyond the
// newest maxFailures. It spares the current revision and those with Pods.
func surplus(newestFirst []k8s.Revision, retain int) []k8s.Revision {
	var out []k8s.Revision
	good, failed := 0, 0
	for _, v := range newestFirst {
		if v.Current || v.Number == 0 {
			continue
		}
		count, limit := &good, retain
		if v.Failed != "" {
			count, limit = &failed, min(retain, maxFailures)
		}
		if *count++; *count <= limit {
			continue
		}
		if replicas := v.Set.Spec.Replicas; v.Set.Status.Replicas == 0 && replicas != nil && *replicas == 0 {
			out = append(out, v)
		}
	}
	return out
}
