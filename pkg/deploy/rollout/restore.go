package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
)

// A restore goes on where the run was interrupted, so it has a bound of its own. It is not the user's --timeout where that is shorter: how
// long a failing version may try says nothing of how long the good one takes.
const (
	restoreTimeout = 5 * time.Minute
	restoreSlack   = time.Minute // for the calls around it
)

// failed shows the evidence, brings the last verified revision back and returns what came of that.
func (r *runner) failed(ctx context.Context, verdict k8srollout.Verdict, current *appsv1.ReplicaSet) error {
	failure := &Error{r.investigate(ctx, verdict)}
	f := &failure.Evidence
	if current != nil {
		f.Revision, f.Image = current.Annotations[metadata.RevisionAnnotation], metadata.ImageOf(current.Spec.Template.Spec, r.App)
		if err := r.cluster.MarkFailed(ctx, current, f.Reason); err != nil {
			_, _ = fmt.Fprintln(r.out, err)
		}
	}
	f.show(r.out)
	r.restore(ctx, f)
	if r.Failures != "" {
		if err := r.save(*f, time.Now()); err != nil {
			_, _ = fmt.Fprintln(r.out, err)
		}
	}
	return failure
}

// restore goes back to the last verified revision, and notes in f what came of that.
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
	restored, err := r.cluster.RestoreTemplate(ctx, r.Namespace, r.App, target.Set)
	if err != nil {
		f.Kept = err.Error()
		return
	}
	r.changed = false // it has been seen to run
	back, current, err := r.watch(ctx, restored.Generation)
	switch {
	case err != nil:
		f.Kept = err.Error()
	case back.State != k8srollout.Complete:
		f.Kept = "it does not come up either: " + back.Message
	default:
		f.Restored = fmt.Sprintf("as revision %s", current.Annotations[metadata.RevisionAnnotation])
		if err := r.cluster.MarkVerified(ctx, current, time.Now()); err != nil {
			_, _ = fmt.Fprintln(r.out, err)
		}
	}
}

// lastGood is the newest verified revision other than the one that failed. One that differs only by the Secret's version is a good one:
// its pods may be those that still run.
func (r *runner) lastGood(ctx context.Context) (k8s.Revision, error) {
	d, err := r.cluster.GetDeployment(ctx, r.Namespace, r.App)
	if err != nil {
		return k8s.Revision{}, err
	}
	revisions, err := r.cluster.Revisions(ctx, d)
	if err != nil {
		return k8s.Revision{}, err
	}
	for _, v := range revisions {
		if v.Verified && !v.Current {
			return v, nil
		}
	}
	return k8s.Revision{}, errors.New("no earlier verified version to roll back to")
}

// Describe names a revision in a message.
func Describe(r k8s.Revision) string {
	if r.Set == nil {
		return ""
	}
	if r.Commit != "" {
		return fmt.Sprintf("revision %d, commit %s", r.Number, metadata.ShortCommit(r.Commit))
	}
	return fmt.Sprintf("revision %d, %s", r.Number, r.Image)
}
