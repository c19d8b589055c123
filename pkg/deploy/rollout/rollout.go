// Package rollout changes a Deployment and watches the rollout to its end. If it fails, the package gathers evidence
// and restores the last verified version. Package norn/pkg/k8s/rollout decides whether it failed.
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
	text := fmt.Sprintf("the rollout of %s failed (%s): %s", f.App, f.Reason, f.Message)
	if f.Restored != "" {
		return text + "; the previous version was restored (" + f.Restored + ")"
	}
	return text + "; the previous version was not restored: " + f.Kept
}

// Hint returns what to do about the failure.
func (e *Error) Hint() string {
	switch f := e.Evidence; {
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

// runner makes one change to a Deployment and watches its rollout.
type runner struct {
	Target
	cluster *k8s.Client
	out     io.Writer
	changed bool  // whether the change started a rollout
	ports   []int // where the container listens, if not on its probe's port
	// failedBefore has the Pods that had failed before the change.
	failedBefore map[types.UID]bool
	// restoring names the revision that is being restored, or is "".
	restoring string
}

// Change changes a Deployment and returns it as the API server answered.
type Change func(context.Context) (*appsv1.Deployment, error)

// Run makes a change to the Deployment of t's app and waits until the new Pods run. If the change has no effect, the
// result is Unchanged. If the new version fails, Run restores the last verified one, unless t.KeepFailed is set, and
// returns an *Error.
func Run(ctx context.Context, cluster *k8s.Client, out io.Writer, t Target, change Change) (pipeline.Result, error) {
	return (&runner{Target: t, cluster: cluster, out: out}).run(ctx, change)
}

func (r *runner) run(ctx context.Context, change Change) (pipeline.Result, error) {
	before, err := r.cluster.GetDeployment(ctx, r.Namespace, r.App)
	if err != nil {
		return pipeline.Result{}, err
	}
	if err := r.noteFailedPods(ctx); err != nil {
		return pipeline.Result{}, err
	}
	after, err := change(ctx)
	if err != nil {
		return pipeline.Result{}, err
	}
	return r.follow(ctx, before, after)
}

// Replacement is a change of a Deployment that replaces its Pods.
type Replacement struct{ Before, After *appsv1.Deployment }

// Follow is like Run, for a change that the caller has already made.
func Follow(
	ctx context.Context, cluster *k8s.Client, out io.Writer, t Target, made Replacement,
) (pipeline.Result, error) {
	r := &runner{Target: t, cluster: cluster, out: out}
	if err := r.noteFailedPods(ctx); err != nil { // the new Pods have not had the time to fail
		return pipeline.Result{}, err
	}
	return r.follow(ctx, made.Before, made.After)
}

func (r *runner) follow(ctx context.Context, before, after *appsv1.Deployment) (pipeline.Result, error) {
	r.changed = before.Generation != after.Generation
	r.announceDowntime(before, after)
	verdict, current, err := r.watch(ctx, after.Generation)
	if err != nil {
		err = fmt.Errorf("the rollout of %s continues in the cluster; see norn status %[1]s: %w", r.App, err)
		return pipeline.Result{}, err
	}
	if verdict.State == k8srollout.Failed {
		if ranAlready(before, after, current) {
			r.KeepFailed = cmp.Or(r.KeepFailed, "this version already ran")
		}
		return pipeline.Result{}, r.failed(ctx, verdict, current)
	}
	r.verify(ctx, verdict, current, Replaces(before, after))
	r.trim(ctx)
	state := pipeline.Done
	if reflect.DeepEqual(before.Spec, after.Spec) {
		state = pipeline.Unchanged
	}
	detail := fmt.Sprintf("revision %s, %s", current.Annotations[metadata.RevisionAnnotation], verdict.Message)
	return pipeline.Result{State: state, Detail: detail}, nil
}

// Replaces reports whether a change replaces the Pods. A paused Deployment replaces none, so unpausing it may replace
// them with a template that it already had.
func Replaces(before, after *appsv1.Deployment) bool {
	return before.Spec.Paused || !reflect.DeepEqual(before.Spec.Template, after.Spec.Template)
}

// ranAlready reports whether a change has left a verified version in place. If its Pods fail now, the change is not
// the cause, and no earlier version would run better: more replicas than the nodes have room for, for example.
func ranAlready(before, after *appsv1.Deployment, current *appsv1.ReplicaSet) bool {
	return !Replaces(before, after) && current != nil && current.Annotations[metadata.VerifiedAnnotation] != ""
}

// announceDowntime prints that a change stops the running Pods before it starts new ones.
func (r *runner) announceDowntime(before, after *appsv1.Deployment) {
	recreates := after.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType
	if recreates && before.Status.Replicas > 0 && Replaces(before, after) {
		_, _ = fmt.Fprintln(r.out, "stopping the running Pods first, because of the volume claim; "+
			"the app is down until a new Pod runs")
	}
}

// verify marks the revision whose Pods are all available. It marks nothing if no Pod was wanted, because such a version
// never ran. The version is up, so a failure to mark it is only a warning.
func (r *runner) verify(ctx context.Context, v k8srollout.Verdict, current *appsv1.ReplicaSet, replaced bool) {
	verified := current.Annotations[metadata.VerifiedAnnotation] != ""
	if v.Want == 0 || verified && !replaced { // a second mark would change the revision's age
		return
	}
	if err := r.cluster.MarkVerified(ctx, current, time.Now()); err != nil {
		pipeline.Warn(r.out, "the new Pods are available, but the revision is not marked as verified: %v; "+
			"run norn deploy again to mark it", err)
	}
}

// noteFailedPods records which Pods have failed before a change, so that they do not count against it.
func (r *runner) noteFailedPods(ctx context.Context) error {
	pods, err := r.cluster.GetPods(ctx, r.Namespace, r.App)
	if err != nil {
		return err
	}
	r.failedBefore = k8srollout.FailedPods(pods)
	return nil
}
