package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// A restore outlives an interrupt of the run, so it has its own time limit: at least restoreTimeout, because a short
// --timeout for the new version does not mean that the old one starts as fast.
const (
	restoreTimeout = 5 * time.Minute
	restoreSlack   = time.Minute // for the API calls around it
)

// failed shows the evidence, restores the last verified revision and returns an *Error with the outcome.
func (r *runner) failed(ctx context.Context, verdict k8srollout.Verdict, current *appsv1.ReplicaSet) error {
	failure := &Error{r.investigate(ctx, verdict)}
	f := &failure.Evidence
	if current != nil {
		f.Revision = current.Annotations[metadata.RevisionAnnotation]
		f.Image = metadata.ImageOf(current.Spec.Template.Spec, r.App)
		if err := r.cluster.MarkFailed(ctx, current, f.Reason, time.Now()); err != nil {
			_, _ = fmt.Fprintln(r.out, err)
		}
	}
	f.show(r.out)
	pipeline.Fail(r.out)
	r.restore(ctx, f)
	if r.Failures != "" {
		if err := r.save(*f, time.Now()); err != nil {
			_, _ = fmt.Fprintln(r.out, err)
		}
	}
	return failure
}

// restore goes back to the last verified revision and records the outcome in f.
func (r *runner) restore(ctx context.Context, f *Failure) {
	if f.Kept = r.KeepFailed; f.Kept != "" {
		return
	}
	r.Timeout = max(r.Timeout, restoreTimeout)
	r.AllowRestarts = max(r.AllowRestarts, k8srollout.DefaultAllowedRestarts)
	ctx, cancel := context.WithTimeout(lease.CleanupContext(ctx), r.Timeout+restoreSlack)
	defer cancel()
	target, err := r.lastGood(ctx)
	if err != nil {
		f.Kept = err.Error()
		return
	}
	_, _ = fmt.Fprintf(r.out, "restoring %s\n", Describe(target))
	_ = r.noteFailedPods(ctx) // if it fails, the Pods noted before the first change still do not count
	restored, err := r.cluster.RestoreTemplate(ctx, r.Namespace, r.App, target.Set)
	if err != nil {
		f.Kept = err.Error()
		return
	}
	r.changed = false // an earlier run verified it
	r.restoring = fmt.Sprintf("restoring revision %d", target.Number)
	back, current, err := r.watch(ctx, restored.Generation)
	switch {
	case err != nil:
		f.Kept = err.Error()
	case back.State != k8srollout.Complete:
		f.Kept = "the rollout of the verified version failed too: " + back.Message
	default:
		f.Restored = fmt.Sprintf("as revision %s", current.Annotations[metadata.RevisionAnnotation])
		r.verify(ctx, back, current, true)
		r.trim(ctx)
	}
}

// lastGood returns the revision to restore: the one that RanBefore names, else the verified revision that was rolled
// out last, other than the failed one. If the two differ only by the Secret's version, the Pods of the restored
// revision may still be running.
func (r *runner) lastGood(ctx context.Context) (k8s.Revision, error) {
	d, err := r.cluster.GetDeployment(ctx, r.Namespace, r.App)
	if err != nil {
		return k8s.Revision{}, err
	}
	revisions, err := r.cluster.Revisions(ctx, d)
	if err != nil {
		return k8s.Revision{}, err
	}
	good := slices.DeleteFunc(revisions, func(v k8s.Revision) bool { return v.Current || !k8s.Restorable(v.Set, r.App) })
	if i := slices.IndexFunc(good, func(v k8s.Revision) bool { return v.Set.UID == r.RanBefore }); i >= 0 {
		return good[i], nil
	}
	last, found := LastVerified(good)
	if !found {
		return k8s.Revision{}, errors.New("no earlier verified version to roll back to")
	}
	return last, nil
}

// LastVerified returns the verified revision that was rolled out last. A higher number can be older: Kubernetes gives
// an old ReplicaSet a new number if a paused Deployment briefly has its template.
func LastVerified(newestFirst []k8s.Revision) (last k8s.Revision, found bool) {
	for _, v := range newestFirst {
		if v.Verified && (!found || v.Since.After(last.Since)) {
			last, found = v, true
		}
	}
	return last, found
}

// Describe returns a revision's name for messages.
func Describe(r k8s.Revision) string {
	if r.Set == nil {
		return ""
	}
	if r.Commit != "" {
		return fmt.Sprintf("revision %d, commit %s", r.Number, metadata.ShortCommit(r.Commit))
	}
	if r.Image == "" { // a revision from before norn, whose container has another name
		return fmt.Sprintf("revision %d", r.Number)
	}
	return fmt.Sprintf("revision %d, %s", r.Number, r.Image)
}
