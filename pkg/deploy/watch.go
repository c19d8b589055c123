package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// portPatience is how long a container may refuse connections before it is asked where it listens instead.
const portPatience = 20 * time.Second

// watcher follows one rollout to its verdict.
type watcher struct {
	*runner
	generation int64 // the change's; looks from before count for nothing
	verdict    rollout.Verdict
	current    *appsv1.ReplicaSet

	stalled rollout.Reason // what the rollout is stalled for, or ""
	since   time.Time      // since when, by this machine's clock
	asked   bool           // where the container listens

	up       time.Time // since when all pods are up, with as many restarts; zero where they are not
	restarts int
	pods     []pipeline.Pod
}

// watch follows the rollout to its verdict, and says what changes on the way.
func (r *runner) watch(ctx context.Context, generation int64) (rollout.Verdict, *appsv1.ReplicaSet, error) {
	bounded, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	w := &watcher{runner: r, generation: generation}
	err := r.cluster.Observe(bounded, r.Namespace, r.App, func(o rollout.Observation) (bool, error) {
		w.look(bounded, o)
		return w.verdict.State == rollout.Complete || w.verdict.State == rollout.Failed, nil
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		w.timeUp(ctx)
		err = nil
	}
	return w.verdict, w.current, err
}

// look judges one observation.
func (w *watcher) look(ctx context.Context, o rollout.Observation) {
	o.Generation, o.AllowRestarts = w.generation, &w.AllowRestarts
	v := rollout.Judge(o)
	v = w.settled(o, v)
	w.tell(o, v)
	w.verdict, w.current = v, rollout.CurrentReplicaSet(o)
	if v.State != rollout.Stalled {
		w.stalled = ""
		return
	}
	if v.Reason != w.stalled {
		w.stalled, w.since = v.Reason, time.Now()
	}
	switch held := time.Since(w.since); {
	case v.Patience > 0 && held >= v.Patience:
		w.verdict.State = rollout.Failed
	case v.RefusedPort() > 0 && held >= portPatience && !w.asked:
		if w.wrongPort(ctx) {
			w.verdict.State = rollout.Failed
		}
	}
}

// settle is how long pods without a readiness probe are watched before they count as well: to Kubernetes they are as soon as their
// containers run, also those that end a moment later.
const settle = 5 * time.Second

// settled is v, or goes on waiting where pods are up for too short a time to tell.
func (w *watcher) settled(o rollout.Observation, v rollout.Verdict) rollout.Verdict {
	if v.State != rollout.Complete || !w.changed || rollout.HasReadinessProbes(o.Deployment.Spec.Template.Spec) {
		w.up = time.Time{}
		return v
	}
	restarts := 0
	for _, p := range o.Pods {
		restarts += rollout.Summarize(p).Restarts
	}
	if w.up.IsZero() || restarts != w.restarts {
		w.up, w.restarts = time.Now(), restarts
	}
	if time.Since(w.up) < settle {
		v.State, v.Message = rollout.Progressing, fmt.Sprintf("%s; they have no healthcheck, so they are watched for %s", v.Message, settle)
	}
	return v
}

// tell tells how far the rollout is and how its pods are, where that has changed.
func (w *watcher) tell(o rollout.Observation, v rollout.Verdict) {
	mine, old := rollout.Pods(o)
	pods := make([]pipeline.Pod, 0, len(mine)+len(old))
	for i, p := range slices.Concat(mine, old) {
		sum := rollout.Summarize(p)
		pods = append(pods, pipeline.Pod{Name: p.Name, State: sum.State, Ready: sum.Ready, Old: i >= len(mine)})
	}
	if v.Message != w.verdict.Message && v.State != rollout.Failed || !slices.Equal(pods, w.pods) {
		w.pods = pods
		pipeline.Wait(w.out, v.Message, pods)
	}
}

// timeUp makes a failure of whatever the rollout was waiting for.
func (w *watcher) timeUp(ctx context.Context) {
	if w.verdict.State != rollout.Stalled {
		w.verdict.Reason = rollout.TimedOut
	} else if w.verdict.RefusedPort() > 0 && !w.asked {
		w.wrongPort(ctx)
	}
	w.verdict.State = rollout.Failed
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
