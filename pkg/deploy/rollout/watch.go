package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// portPatience is how long a container may refuse connections before it is asked where it listens instead.
const portPatience = 20 * time.Second

// watcher follows one rollout to its verdict.
type watcher struct {
	*runner
	generation int64 // the change's; looks from before count for nothing
	verdict    k8srollout.Verdict
	current    *appsv1.ReplicaSet

	stalled k8srollout.Reason // what the rollout is stalled for, or ""
	since   time.Time         // since when, by this machine's clock
	asked   bool              // where the container listens

	up       time.Time // since when all pods are up, with as many restarts; zero where they are not
	restarts int
	pods     []pipeline.Pod
}

// watch follows the rollout to its verdict, and says what changes on the way.
func (r *runner) watch(ctx context.Context, generation int64) (k8srollout.Verdict, *appsv1.ReplicaSet, error) {
	bounded, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	w := &watcher{runner: r, generation: generation}
	err := r.cluster.Observe(bounded, r.Namespace, r.App, func(o k8srollout.Observation) (bool, error) {
		w.observe(bounded, o)
		return w.verdict.State == k8srollout.Complete || w.verdict.State == k8srollout.Failed, nil
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		w.timeUp(ctx)
		err = nil
	}
	return w.verdict, w.current, err
}

// observe judges one observation.
func (w *watcher) observe(ctx context.Context, o k8srollout.Observation) {
	o.Generation, o.AllowRestarts = w.generation, &w.AllowRestarts
	v := k8srollout.Judge(o)
	v = w.steady(o, v)
	w.tell(o, v)
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
	case v.Port > 0 && held >= portPatience && !w.asked:
		if w.wrongPort(ctx) {
			w.verdict.State = k8srollout.Failed
		}
	}
}

// steadyFor is how long pods without a readiness probe are watched before they count as well: to Kubernetes they are as soon as their
// containers run, also those that end a moment later.
const steadyFor = 5 * time.Second

// steady returns v, or a verdict that goes on waiting while pods without a probe have not been up for steadyFor.
func (w *watcher) steady(o k8srollout.Observation, v k8srollout.Verdict) k8srollout.Verdict {
	if v.State != k8srollout.Complete || !w.changed || k8srollout.HasReadinessProbes(o.Deployment.Spec.Template.Spec) {
		w.up = time.Time{}
		return v
	}
	restarts := 0
	for _, p := range o.Pods {
		restarts += k8srollout.Summarize(p).Restarts
	}
	if w.up.IsZero() || restarts != w.restarts {
		w.up, w.restarts = time.Now(), restarts
	}
	if time.Since(w.up) < steadyFor {
		v.State, v.Message = k8srollout.Progressing, fmt.Sprintf("%s; they have no healthcheck, so they are watched for %s", v.Message, steadyFor)
	}
	return v
}

// tell tells how far the rollout is and how its pods are, where that has changed.
func (w *watcher) tell(o k8srollout.Observation, v k8srollout.Verdict) {
	mine, old := k8srollout.Pods(o)
	pods := make([]pipeline.Pod, 0, len(mine)+len(old))
	for i, p := range slices.Concat(mine, old) {
		sum := k8srollout.Summarize(p)
		pods = append(pods, pipeline.Pod{Name: p.Name, State: sum.State, Ready: sum.Ready, Old: i >= len(mine)})
	}
	if v.Message != w.verdict.Message && v.State != k8srollout.Failed || !slices.Equal(pods, w.pods) {
		w.pods = pods
		pipeline.Wait(w.out, v.Message, pods)
	}
}

// timeUp makes a failure of whatever the rollout was waiting for.
func (w *watcher) timeUp(ctx context.Context) {
	if w.verdict.State != k8srollout.Stalled {
		w.verdict.Reason = k8srollout.TimedOut
	} else if w.verdict.Port > 0 && !w.asked {
		w.wrongPort(ctx)
	}
	w.verdict.State = k8srollout.Failed
	w.verdict.Message = fmt.Sprintf("not done after %s: %s", w.Timeout, w.verdict.Message)
}

// wrongPort asks the container, once, whether it listens on another port than its probe tries.
func (w *watcher) wrongPort(ctx context.Context) bool {
	w.asked = true
	if w.ports = w.listening(ctx, w.verdict); len(w.ports) == 0 {
		return false
	}
	w.verdict.Message += fmt.Sprintf(", and the container listens on %s", numbers(w.ports))
	return true
}
