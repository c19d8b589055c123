// Package rollout changes an app's Deployments and watches their rollouts to the end. If one fails, the package gathers
// evidence and restores the version of all that ran before. Package norn/pkg/k8s/rollout decides whether it failed.
package rollout

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"reflect"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// Error reports that a rollout failed, why, and which version runs now.
type Error struct{ Evidence Failure }

// Restored reports whether the previous version runs again.
func (e *Error) Restored() bool { return e.Evidence.Restored != "" }

// Error returns the failure and whether the previous version was restored.
func (e *Error) Error() string {
	f := e.Evidence
	what := f.App
	if f.Process != "" {
		what = fmt.Sprintf("process %s of %s", f.Process, f.App)
	}
	text := fmt.Sprintf("the rollout of %s failed (%s): %s", what, f.Reason, f.Message)
	if f.Restored != "" {
		return text + "; the previous version was restored (" + f.Restored + ")"
	}
	return text + "; the previous version was not restored: " + f.Kept
}

// Hint returns what to do about the failure.
func (e *Error) Hint() string {
	switch f := e.Evidence; {
	case f.held != nil && f.Hint != "":
		return f.Hint + "; then " + f.held.Hint()
	case f.held != nil:
		return f.held.Hint()
	case f.Hint != "":
		return f.Hint
	case e.Restored():
		return fmt.Sprintf("see the Pods with norn status %s, and their logs with norn logs %[1]s", f.App)
	default:
		return fmt.Sprintf("see the Pods with norn status %s, or go back with norn rollback %[1]s", f.App)
	}
}

// Failure returns the evidence, for machine-readable output.
func (e *Error) Failure() any { return e.Evidence }

// ContinuesError reports that norn stopped watching a rollout, which the cluster continues.
type ContinuesError struct {
	App  string
	Err  error              // why
	Held *objects.HeldError // that the rollout is held after the first new Pods, or nil
}

// Error names the app, and the command that shows the rollout, or the commands that end its hold.
func (e *ContinuesError) Error() string {
	if e.Held != nil {
		return fmt.Sprintf("the canary of %s stays; %s: %v", e.App, e.Held.Hint(), e.Err)
	}
	return fmt.Sprintf("the rollout of %s continues in the cluster; see norn status %[1]s: %v", e.App, e.Err)
}

// Unwrap returns why norn stopped watching.
func (e *ContinuesError) Unwrap() error { return e.Err }

// runner makes one change to a Deployment and watches its rollout.
type runner struct {
	Target
	cluster *k8s.Client
	objects *k8s.Watch // of all Deployments that change
	out     io.Writer
	label   string             // the name of the process if the release has several Deployments, else ""
	before  *appsv1.Deployment // before the change, and before forge's
	applied *appsv1.Deployment // as the last change left it
	changed bool               // whether the change started a rollout
	// replaces reports whether the change replaces the Pods, and unchanged whether it has no effect.
	replaces, unchanged bool
	ports               []int // where the container listens, if not on its probe's port
	// failedBefore has the Pods that had failed before the change.
	failedBefore map[types.UID]bool
	// trial is how long the watch of a canary goes on when its Pods are up.
	trial time.Duration
	// restoring names the revision that is being restored, or is "".
	restoring string
	// release reports whether all Deployments of the release are complete, given whether this one is. If nil, this one is
	// the only one.
	release func(complete bool) bool
}

// Change changes a Deployment and returns it as the API server answered.
type Change func(context.Context) (*appsv1.Deployment, error)

// Replacement is a change of a Deployment that replaces its Pods.
type Replacement struct{ Before, After *appsv1.Deployment }

// start makes the change of m.
func (r *runner) start(ctx context.Context, m Member) error {
	before, after, err := r.make(ctx, m)
	if err != nil {
		return err
	}
	r.before, r.applied = before, after
	if r.Forged != nil {
		r.before = r.Forged.Before
	}
	r.changed = before.Generation != after.Generation
	_ = r.hideReferenced(ctx) // the evidence reports an error, if it needs the values
	r.replaces, r.unchanged = Replaces(before, after), reflect.DeepEqual(before.Spec, after.Spec)
	r.announceDowntime(ctx, before, after)
	return nil
}

// make makes the change of m, and returns the Deployment before and after it.
func (r *runner) make(ctx context.Context, m Member) (before, after *appsv1.Deployment, err error) {
	if m.Made != nil {
		if err := r.noteFailedPods(ctx); err != nil { // the new Pods have not had the time to fail
			return nil, nil, err
		}
		return m.Made.Before, m.Made.After, r.cluster.ForgetMarks(ctx, m.Made.After)
	}
	if before, err = r.cluster.GetDeployment(ctx, r.Namespace, r.Workload()); err != nil {
		return nil, nil, err
	}
	if err := r.noteFailedPods(ctx); err != nil {
		return nil, nil, err
	}
	if err := r.cluster.ForgetMarks(ctx, before); err != nil {
		return nil, nil, err
	}
	after, err = m.Change(ctx)
	return before, after, err
}

// Replaces reports whether a change replaces the Pods. A paused Deployment replaces none, so unpausing it may replace
// them with a template that it already had.
func Replaces(before, after *appsv1.Deployment) bool {
	return before.Spec.Paused || !reflect.DeepEqual(before.Spec.Template, after.Spec.Template)
}

// verify marks the revision whose Pods are all available, as part of a release. It marks nothing if no Pod was wanted,
// because such a version never ran. The version is up, so a failure to mark it is only a warning.
func (r *runner) verify(ctx context.Context, v k8srollout.Verdict, current *appsv1.ReplicaSet, in metadata.Release) {
	marks, commits := metadata.MarksOf(current), r.commits()
	verified := !marks.Verified.IsZero() && marks.Failed.IsZero()
	var err error
	switch {
	case v.Want == 0 || verified && !r.replaces: // a second mark would change the revision's age
		if !marks.In(in) || len(commits) > 0 {
			err = r.cluster.MarkReleased(ctx, current, in, commits...)
		}
	default:
		err = r.cluster.MarkVerified(ctx, current, time.Now(), cmp.Or(r.After, r.RanBefore), in)
	}
	if err != nil {
		pipeline.Warn(r.out, "the new Pods are available, but the revision is not marked as verified: %v; "+
			"run norn deploy again to mark it", err)
	}
}

// commits returns the commits that the Deployment's version was shipped for, before the change and by it, if the change
// has kept the version and recorded another commit. Otherwise it returns none.
func (r *runner) commits() []string {
	image := metadata.ImageOf(r.applied.Spec.Template.Spec, r.App)
	before := metadata.Shipped(r.before.Annotations, image)[metadata.CommitAnnotation]
	now := metadata.Shipped(r.applied.Annotations, image)[metadata.CommitAnnotation]
	if r.replaces || before == "" || now == "" || before == now {
		return nil
	}
	return []string{before, now}
}

// noteFailedPods records which Pods have failed before a change, so that they do not count against it.
func (r *runner) noteFailedPods(ctx context.Context) error {
	pods, err := r.cluster.GetPods(ctx, r.Namespace, r.Workload())
	if err != nil {
		return err
	}
	r.failedBefore = k8srollout.FailedPods(pods)
	return nil
}
