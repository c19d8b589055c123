package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// portPatience is how long a container may refuse connections before norn looks for the port that it listens on
// instead.
const portPatience = 20 * time.Second

// watcher observes one rollout until its verdict.
type watcher struct {
	*runner
	generation int64 // of the change; earlier observations do not count
	verdict    k8srollout.Verdict
	current    *appsv1.ReplicaSet

	stalled  k8srollout.Reason // why the rollout is stalled, or ""
	since    time.Time         // when that began, by this machine's clock
	searched bool              // whether norn has looked for the container's port

	up       time.Time // when all pods were up with this number of restarts; zero while they are not
	restarts int
	pods     []pipeline.Pod
}

// watch observes the rollout until its verdict and reports changes on the way.
func (r *runner) watch(ctx context.Context, generation int64) (k8srollout.Verdict, *appsv1.ReplicaSet, error) {
	bounded, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	w := &watcher{runner: r, generation: generation}
	err := r.cluster.Observe(bounded, r.Namespace, r.App, func(o k8srollout.Observation) (bool, error) {
		w.observe(bounded, o)
		return w.verdict.State == k8srollout.Complete || w.verdict.State == k8srollout.Failed, nil
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		if err = w.lookAgain(ctx); err == nil && w.verdict.State != k8srollout.Complete {
			w.timeUp(ctx)
		}
	}
	return w.verdict, w.current, err
}

// lastLook is how long the API server has to answer at the time limit.
const lastLook = 20 * time.Second

// lookAgain reads the rollout once more at the time limit. The last observation may be from before an outage, and a
// version whose Pods are available by now must not be taken back. It returns an error if the API server cannot be
// reached. It keeps a verdict of failure, because its one look may come before the events that name the cause.
func (w *watcher) lookAgain(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, lastLook)
	defer cancel()
	return w.cluster.Observe(bounded, w.Namespace, w.App, func(o k8srollout.Observation) (bool, error) {
		o.Generation, o.AllowRestarts, o.Before = w.generation, &w.AllowRestarts, w.failedBefore
		if v := w.steady(o, k8srollout.Judge(o)); v.Up {
			w.verdict, w.current = v, k8srollout.CurrentReplicaSet(o)
		}
		return true, nil
	})
}

// observe judges one observation and reports what changed.
func (w *watcher) observe(ctx context.Context, o k8srollout.Observation) {
	o.Generation, o.AllowRestarts, o.Before = w.generation, &w.AllowRestarts, w.failedBefore
	v := k8srollout.Judge(o)
	v = w.steady(o, v)
	w.report(o, v)
	w.verdict, w.current = v, k8srollout.CurrentReplicaSet(o)
	if v.State != k8srollout.Stalled {
		w.stalled = ""
		return
	}
	if v.Reason != w.stalled {
		w.stalled, w.since = v.Reason, time.Now()
	}
	switch held := time.Since(w.since); {
	case v.Patience > 0 && held >= v.Patience:
		w.verdict.State = k8srollout.Failed
	case v.Port > 0 && held >= portPatience && !w.searched:
		if w.wrongPort(ctx) {
			w.verdict.State = k8srollout.Failed
		}
	}
}

// steadyFor is how long pods without a readiness probe must stay up. Kubernetes calls them ready as soon as their
// containers run, even if they end a moment later.
const steadyFor = 5 * time.Second

// steady returns v, or a Progressing verdict while pods without a probe have not been up for steadyFor.
func (w *watcher) steady(o k8srollout.Observation, v k8srollout.Verdict) k8srollout.Verdict {
	if v.State != k8srollout.Complete || !w.changed || k8srollout.HasReadinessProbes(o.Deployment.Spec.Template.Spec) {
		w.up = time.Time{}
		return v
	}
	restarts := 0
	mine, _ := k8srollout.Pods(o)
	for _, p := range mine {
		restarts += k8srollout.Summarize(p).Restarts
	}
	if w.up.IsZero() || restarts != w.restarts {
		w.up, w.restarts = time.Now(), restarts
	}
	if time.Since(w.up) < steadyFor {
		v.State, v.Up = k8srollout.Progressing, false
		v.Message = fmt.Sprintf("%s; watching them for %s because they have no healthcheck", v.Message, steadyFor)
	}
	return v
}

// report prints the verdict and the pods' states if they changed.
func (w *watcher) report(o k8srollout.Observation, v k8srollout.Verdict) {
	mine, old := k8srollout.Pods(o)
	pods := make([]pipeline.Pod, 0, len(mine)+len(old))
	for i, p := range slices.Concat(mine, old) {
		sum := k8srollout.Summarize(p)
		pods = append(pods, pipeline.Pod{Name: p.Name, State: sum.State, Ready: sum.Ready, Old: i >= len(mine)})
	}
	if v.Message != w.verdict.Message && v.State != k8srollout.Failed || !slices.Equal(pods, w.pods) {
		w.pods = pods
		pipeline.Wait(w.out, w.progress(v), pods)
	}
}

// progress returns the text of a verdict. The Pods of a restored version are not new.
func (w *watcher) progress(v k8srollout.Verdict) string {
	if w.restoring == "" {
		return v.Message
	}
	text := strings.NewReplacer(" new Pod", " Pod", " old Pod", " failed Pod").Replace(v.Message)
	return w.restoring + ": " + text
}

// timeUp turns the last verdict into a failure, because the rollout did not complete in time. If every new Pod is
// available, the rollout is complete instead: an old Pod that does not end says nothing about the new version.
func (w *watcher) timeUp(ctx context.Context) {
	if w.verdict.Up {
		w.verdict.State = k8srollout.Complete
		pipeline.Warn(w.out, "the new Pods are available, but the rollout is not complete after %s: %s",
			w.Timeout, w.verdict.Message)
		w.verdict.Message = fmt.Sprintf("%d of %d Pods available", w.verdict.Ready, w.verdict.Want)
		return
	}
	if w.verdict.State != k8srollout.Stalled {
		w.verdict.Reason = k8srollout.TimedOut
	} else if w.verdict.Port > 0 && !w.searched {
		w.wrongPort(ctx)
	}
	w.verdict.State = k8srollout.Failed
	w.verdict.Message = fmt.Sprintf("not complete after %s: %s", w.Timeout, w.verdict.Message)
}

// wrongPort looks, once, for a port on which the container listens instead of its probe's. It reports whether it found
// one.
func (w *watcher) wrongPort(ctx context.Context) bool {
	w.searched = true
	if w.ports = w.listening(ctx, w.verdict); len(w.ports) == 0 {
		return false
	}
	w.verdict.Message += fmt.Sprintf(", and the container listens on %s", numbers(w.ports))
	return true
}
