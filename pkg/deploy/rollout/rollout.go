// Package rollout changes a Deployment and watches the rollout to its end: it gathers the evidence of a failure and brings
// the last verified version back. The verdict itself is that of pkg/k8s/rollout.
package rollout

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// Error reports that a version did not come up, and what runs now.
type Error struct{ Evidence Failure }

// Restored reports whether the previous version runs again.
func (e *Error) Restored() bool { return e.Evidence.Restored != "" }

// Error says what failed and what state things are in.
func (e *Error) Error() string {
	f := e.Evidence
	text := fmt.Sprintf("the rollout of %s failed (%s): %s", f.App, f.Reason, f.Message)
	if f.Restored != "" {
		return text + "; the previous version was restored (" + f.Restored + ")"
	}
	return text + "; the previous version was not restored: " + f.Kept
}

// Hint is what to do about it.
func (e *Error) Hint() string {
	if e.Evidence.Hint == "" {
		return fmt.Sprintf("see kubectl describe deployment %s", e.Evidence.App)
	}
	return e.Evidence.Hint
}

// Failure is the evidence, for machine-readable output.
func (e *Error) Failure() any { return e.Evidence }

// runner is one change of a Deployment, watched to its end.
type runner struct {
	Target
	cluster *k8s.Client
	out     io.Writer
	changed bool  // whether there is anything new to be watched
	ports   []int // where a container was found to listen, though its probe tries another port
}

// Run makes a change to the Deployment of t's app and waits until the cluster runs it. If the new version fails, Run brings
// the last verified one back, unless t says otherwise, and returns an *Error.
func Run(ctx context.Context, cluster *k8s.Client, out io.Writer, t Target, change func(context.Context) (*appsv1.Deployment, error)) (pipeline.Result, error) {
	return (&runner{Target: t, cluster: cluster, out: out}).roll(ctx, change)
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
	if verdict.State == k8srollout.Failed {
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
