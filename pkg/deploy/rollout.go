package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// Target is an app in a cluster, and how its rollouts are to go.
type Target struct {
	Namespace, App string
	Spec           *infraspec.Spec // for hints that name a line of it; nil where there is none
	Timeout        time.Duration   // how long a rollout may take
	AllowRestarts  int             // how often a new container may end and come back
	Lock           lease.Request   // its Holder and Wait; the rest is filled in
	// KeepFailed, if not "", leaves a failed version where it is, and says why.
	KeepFailed string
	// Failures, if not "", is the folder into which the evidence of a failure is written.
	Failures string
	Redactor Redactor // is told every value that is decrypted, and keeps it out of what is shown and saved; or nil
}

// RolloutError says that a version did not come up, and what runs now.
type RolloutError struct{ Evidence Failure }

// Restored reports whether the previous version runs again.
func (e *RolloutError) Restored() bool { return e.Evidence.Restored != "" }

// Error says what failed and what state things are in.
func (e *RolloutError) Error() string {
	f := e.Evidence
	text := fmt.Sprintf("the rollout of %s failed (%s): %s", f.App, f.Reason, f.Message)
	if f.Restored != "" {
		return text + "; the previous version was restored (" + f.Restored + ")"
	}
	return text + "; the previous version was not restored: " + f.Kept
}

// Hint is what to do about it.
func (e *RolloutError) Hint() string {
	if e.Evidence.Hint == "" {
		return fmt.Sprintf("see kubectl describe deployment %s", e.Evidence.App)
	}
	return e.Evidence.Hint
}

// Failure is the evidence, for machine-readable output.
func (e *RolloutError) Failure() any { return e.Evidence }

// runner is one change of a Deployment, watched to its end.
type runner struct {
	Target
	cluster *k8s.Client
	out     io.Writer
	changed bool  // whether there is anything new to be watched
	ports   []int // where a container was found to listen, though its probe tries another port
}

// roll makes the change and waits until the cluster runs it. A change that turns out to be none is unchanged.
// A version that fails is replaced by the last verified one, unless the target says otherwise.
func (r *runner) roll(ctx context.Context, change func(context.Context) (*appsv1.Deployment, error)) (pipeline.Result, error) {
	before, err := r.cluster.GetDeployment(ctx, r.Namespace, r.App)
	if err != nil {
		return pipeline.Result{}, err
	}
	after, err := change(ctx)
	if err != nil {
		return pipeline.Result{}, err
	}
	r.changed = before.Generation != after.Generation
	verdict, current, err := r.watch(ctx, after.Generation)
	if err != nil {
		return pipeline.Result{}, fmt.Errorf("the rollout of %s goes on in the cluster, norn status %[1]s shows it: %w", r.App, err)
	}
	if verdict.State == rollout.Failed {
		return pipeline.Result{}, r.failed(ctx, verdict, current)
	}
	if err := r.cluster.MarkVerified(ctx, current, time.Now()); err != nil {
		return pipeline.Result{}, err
	}
	state := pipeline.Done
	if reflect.DeepEqual(before.Spec, after.Spec) {
		state = pipeline.Unchanged
	}
	return pipeline.Result{State: state, Detail: fmt.Sprintf("revision %s, %s", current.Annotations[metadata.RevisionAnnotation], verdict.Message)}, nil
}

// A restore goes on where the run was interrupted, so it has a bound of its own. It is not the user's --timeout where that is shorter: how
// long a failing version may try says nothing of how long the good one takes.
const (
	restoreTimeout = 5 * time.Minute
	restoreSlack   = time.Minute // for the calls around it
)

// failed shows the evidence, brings the last verified revision back and returns what came of that.
func (r *runner) failed(ctx context.Context, verdict rollout.Verdict, current *appsv1.ReplicaSet) error {
	failure := &RolloutError{r.investigate(ctx, verdict)}
	f := &failure.Evidence
	if current != nil {
		f.Revision, f.Image = current.Annotations[metadata.RevisionAnnotation], k8s.ImageOf(current.Spec.Template.Spec, r.App)
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
	r.AllowRestarts = max(r.AllowRestarts, rollout.DefaultAllowedRestarts)
	ctx, cancel := context.WithTimeout(lease.CleanupContext(ctx), r.Timeout+restoreSlack)
	defer cancel()
	target, err := r.lastGood(ctx)
	if err != nil {
		f.Kept = err.Error()
		return
	}
	_, _ = fmt.Fprintf(r.out, "restoring %s\n", describe(target))
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
	case back.State != rollout.Complete:
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
	return k8s.Revision{}, errors.New("there is no earlier verified version to go back to")
}
