package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/internal/pipeline"
	"norn/pkg/k8s"
)

// rolloutCluster is what every rollout asks of a cluster.
type rolloutCluster interface {
	historyCluster
	evidenceCluster
	Observe(ctx context.Context, ns, app string, see func(k8s.Observation) (bool, error)) error
	MarkVerified(ctx context.Context, rs *appsv1.ReplicaSet, at time.Time) error
}

type historyCluster interface {
	GetDeployment(ctx context.Context, ns, name string) (*appsv1.Deployment, error)
	Revisions(ctx context.Context, d *appsv1.Deployment) ([]k8s.Revision, error)
	RestoreTemplate(ctx context.Context, ns, name string, to *appsv1.ReplicaSet) (*appsv1.Deployment, error)
}

type evidenceCluster interface {
	StreamLogs(ctx context.Context, ns, pod string, opts *corev1.PodLogOptions) (io.ReadCloser, error)
	PodEvents(ctx context.Context, ns, pod string) ([]corev1.Event, error)
}

// Target is an app in a cluster, and how its rollouts are to go.
type Target struct {
	Namespace, App string
	Timeout        time.Duration   // how long a rollout may take
	Lock           k8s.LockRequest // its Holder and Wait; the rest is filled in
	// KeepFailed, if not "", leaves a failed version where it is, and says why.
	KeepFailed string
}

// RolloutError says that a version did not come up, and what runs now.
type RolloutError struct {
	App      string
	Verdict  k8s.Verdict
	Restored string // the revision that runs again, or ""
	Kept     string // why nothing was restored, where nothing was
}

// Error says what failed and what state things are in.
func (e *RolloutError) Error() string {
	text := fmt.Sprintf("the rollout of %s failed (%s): %s", e.App, e.Verdict.Reason, e.Verdict.Message)
	if e.Restored != "" {
		return text + "; the previous version was restored (" + e.Restored + ")"
	}
	return text + "; the previous version was not restored: " + e.Kept
}

// Hint is where to look.
func (e *RolloutError) Hint() string {
	if e.Verdict.Reason == k8s.TimedOut {
		return fmt.Sprintf("a slower start wants a longer --timeout; see kubectl describe deployment %s", e.App)
	}
	if e.Verdict.Pod == "" {
		return fmt.Sprintf("see kubectl describe deployment %s", e.App)
	}
	return "the pod's last log lines and events are above"
}

// rollout is one change of a Deployment, watched to its end.
type rollout struct {
	Target
	cluster rolloutCluster
	out     io.Writer
}

// roll makes the change and waits until the cluster runs it. A change that turns out to be none is unchanged.
// A version that fails is replaced by the last verified one, unless the target says otherwise.
func (r *rollout) roll(ctx context.Context, change func(context.Context) (*appsv1.Deployment, error)) (pipeline.Result, error) {
	before, err := r.cluster.GetDeployment(ctx, r.Namespace, r.App)
	if err != nil {
		return pipeline.Result{}, err
	}
	after, err := change(ctx)
	if err != nil {
		return pipeline.Result{}, err
	}
	verdict, current, err := r.watch(ctx, after.Generation)
	if err != nil {
		return pipeline.Result{}, fmt.Errorf("the rollout of %s goes on in the cluster, norn status %[1]s shows it: %w", r.App, err)
	}
	if verdict.State == k8s.Failed {
		r.evidence(ctx, verdict)
		return pipeline.Result{}, r.failed(ctx, verdict)
	}
	if err := r.cluster.MarkVerified(ctx, current, time.Now()); err != nil {
		return pipeline.Result{}, err
	}
	state := pipeline.Done
	if reflect.DeepEqual(before.Spec, after.Spec) {
		state = pipeline.Unchanged
	}
	return pipeline.Result{State: state, Detail: fmt.Sprintf("revision %s, %s", current.Annotations[k8s.RevisionAnnotation], verdict.Message)}, nil
}

// watch follows the rollout to its verdict, and says what changes on the way.
// Looks from before generation, the change's, count for nothing.
func (r *rollout) watch(ctx context.Context, generation int64) (verdict k8s.Verdict, current *appsv1.ReplicaSet, err error) {
	bounded, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	err = r.cluster.Observe(bounded, r.Namespace, r.App, func(o k8s.Observation) (bool, error) {
		o.Generation = generation
		v := k8s.Judge(o)
		if v.Message != verdict.Message && v.State == k8s.Progressing {
			_, _ = fmt.Fprintln(r.out, v.Message)
		}
		verdict, current = v, k8s.CurrentReplicaSet(o)
		return v.State != k8s.Progressing, nil
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		verdict.State, verdict.Reason = k8s.Failed, k8s.TimedOut
		verdict.Message = fmt.Sprintf("not done after %s: %s", r.Timeout, verdict.Message)
		err = nil
	}
	return verdict, current, err
}

// A restore goes on where the run was interrupted, so it has a bound of its own. It is not the user's --timeout where that is shorter: how
// long a failing version may try says nothing of how long the good one takes.
const (
	restoreTimeout = 5 * time.Minute
	restoreSlack   = time.Minute // for the calls around it
)

// failed brings the last verified revision back and returns what came of that.
func (r *rollout) failed(ctx context.Context, verdict k8s.Verdict) error {
	failure := &RolloutError{App: r.App, Verdict: verdict}
	if r.KeepFailed != "" {
		failure.Kept = r.KeepFailed
		return failure
	}
	r.Timeout = max(r.Timeout, restoreTimeout)
	ctx, cancel := context.WithTimeout(k8s.Surviving(ctx), r.Timeout+restoreSlack)
	defer cancel()
	target, err := r.lastGood(ctx)
	if err != nil {
		failure.Kept = err.Error()
		return failure
	}
	_, _ = fmt.Fprintf(r.out, "restoring revision %d\n", target.Number)
	restored, err := r.cluster.RestoreTemplate(ctx, r.Namespace, r.App, target.Set)
	if err != nil {
		failure.Kept = err.Error()
		return failure
	}
	back, current, err := r.watch(ctx, restored.Generation)
	switch {
	case err != nil:
		failure.Kept = err.Error()
	case back.State != k8s.Complete:
		failure.Kept = "it does not come up either: " + back.Message
	default:
		failure.Restored = fmt.Sprintf("as revision %s", current.Annotations[k8s.RevisionAnnotation])
	}
	return failure
}

// lastGood is the newest verified revision other than the one that failed. One that differs only by the Secret's version is a good one:
// its pods may be those that still run.
func (r *rollout) lastGood(ctx context.Context) (k8s.Revision, error) {
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
	return k8s.Revision{}, errNoEarlier
}
