package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// portPatience is how long a container may refuse connections before norn looks for the port that it listens on
// instead.
const portPatience = 20 * time.Second

// watcher observes one rollout until its verdict.
type watcher struct {
	*runner
	judge   func(k8srollout.Observation) k8srollout.Verdict
	hold    time.Duration // how long available Pods must stay up, even with probes
	verdict k8srollout.Verdict
	current *appsv1.ReplicaSet

	stalled  k8srollout.Reason // why the rollout is stalled, or ""
	patience time.Duration     // how long it may be; 0 means as long as the whole rollout
	since    time.Time         // when that began, by this machine's clock
	searched bool              // whether norn has looked for the container's port

	seen     time.Time          // when the last observation was judged
	lost     time.Duration      // how long only a node, or an old Pod that is overdue, kept the rollout from completing
	lostTo   k8srollout.Verdict // the last one that named it
	up       time.Time          // when all pods were up with this number of restarts; zero while they are not
	restarts int
	pods     []pipeline.Pod
}

// watch observes the rollout of a change until its verdict and reports changes on the way. It returns a *ChangedError
// if somebody else changes the version, and a *NodeError or an *OldPodError if only a node or an old Pod kept the
// rollout from completing in time.
func (r *runner) watch(
	ctx context.Context, applied *appsv1.Deployment,
) (k8srollout.Verdict, *appsv1.ReplicaSet, error) {
	r.applied = applied
	bounded, cancel := context.WithTimeout(ctx, r.Timeout+r.trial)
	defer cancel()
	w := &watcher{runner: r, judge: k8srollout.Judge, hold: r.trial}
	err := r.objects.Observe(bounded, r.Workload(), func(o k8srollout.Observation) (bool, error) {
		if err := w.checkUnchanged(o); err != nil {
			return false, err
		}
		w.observe(bounded, o)
		complete := w.verdict.State == k8srollout.Complete
		return w.verdict.State == k8srollout.Failed || r.ends(complete), nil
	})
	if errors.Is(err, errAllComplete) {
		return w.verdict, w.current, nil
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		if err = w.lookAgain(ctx); err == nil && w.verdict.State != k8srollout.Complete {
			err = w.timeUp(ctx)
		}
	}
	return w.verdict, w.current, err
}

// errAllComplete ends the watches of a release whose Deployments are all complete.
var errAllComplete = errors.New("all Deployments of the release are complete")

// ends reports whether the watch of a Deployment may end that is complete or not.
func (r *runner) ends(complete bool) bool {
	if r.release == nil {
		return complete
	}
	return r.release(complete)
}

// lastLook is how long the API server has to answer at the time limit.
const lastLook = 20 * time.Second

// lookAgain reads the rollout once more at the time limit. The last observation may be from before an outage, and norn
// must not replace a version whose Pods are available by now. It returns an error if the API server cannot be reached.
// It keeps a verdict of failure, because its one look may come before the events that name the cause.
func (w *watcher) lookAgain(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, lastLook)
	defer cancel()
	return w.cluster.Observe(bounded, w.Namespace, w.App, w.Workload(), func(o k8srollout.Observation) (bool, error) {
		if err := w.checkUnchanged(o); err != nil {
			return false, err
		}
		w.complete(&o)
		if v := w.steady(o, k8srollout.Judge(o)); v.Up {
			w.verdict, w.current = v, k8srollout.CurrentReplicaSet(o)
		}
		return true, nil
	})
}

// checkUnchanged returns a *ChangedError if the observed Deployment no longer has the version that norn applied.
// Observations from before the change do not count.
func (w *watcher) checkUnchanged(o k8srollout.Observation) error {
	if o.Deployment == nil || o.Deployment.Generation < w.applied.Generation {
		return nil
	}
	return CheckUnchanged(w.applied, o.Deployment)
}

// observe judges one observation and reports what changed.
func (w *watcher) observe(ctx context.Context, o k8srollout.Observation) {
	w.complete(&o)
	w.countLost()
	v := w.steady(o, w.judge(o))
	w.report(o, v)
	w.verdict, w.current = v, k8srollout.CurrentReplicaSet(o)
	w.measure(ctx)
}

// complete adds to an observation what the watcher knows about the change.
func (w *watcher) complete(o *k8srollout.Observation) {
	o.Generation, o.AllowRestarts, o.Before = w.applied.Generation, &w.AllowRestarts, w.failedBefore
	if c := metadata.CanaryOf(w.applied); c != nil {
		o.Canary = int(c.Pods)
	}
}

// measure turns a stall that has lasted too long into a failure.
func (w *watcher) measure(ctx context.Context) {
	v := w.verdict
	if v.State != k8srollout.Stalled {
		w.stalled = ""
		return
	}
	// A wait without a limit does not count against the limit of a later one.
	if v.Reason != w.stalled || w.patience == 0 && v.Patience > 0 {
		w.stalled, w.since = v.Reason, time.Now()
	}
	w.patience = v.Patience
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

// steady returns v, or a Progressing verdict while pods without a probe have not been up for steadyFor, or any pods for
// w.hold.
func (w *watcher) steady(o k8srollout.Observation, v k8srollout.Verdict) k8srollout.Verdict {
	least, why := w.hold, ""
	if o.Deployment != nil && !k8srollout.HasReadinessProbes(o.Deployment.Spec.Template.Spec) && least < steadyFor {
		least, why = steadyFor, " because they have no healthcheck"
	}
	if v.State != k8srollout.Complete || v.Want == 0 || !w.changed || least == 0 {
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
	if time.Since(w.up) < least {
		v.State, v.Up = k8srollout.Progressing, restarts == 0 // at the time limit, available is enough
		if o.Canary == 0 {
			v.Message = fmt.Sprintf("%d of %d Pods available", v.Ready, v.Want)
		}
		v.Message += fmt.Sprintf("; watching them for %s%s", least, why)
	}
	return v
}

// report prints the verdict and the pods' states if they changed.
func (w *watcher) report(o k8srollout.Observation, v k8srollout.Verdict) {
	mine, old := k8srollout.Pods(o)
	pods := make([]pipeline.Pod, 0, len(mine)+len(old))
	for i, p := range slices.Concat(mine, old) {
		sum := k8srollout.Summarize(p)
		shown := pipeline.Pod{Name: p.Name, State: sum.State, Ready: sum.Ready, Old: i >= len(mine)}
		if since := k8srollout.TerminatingSince(p); !since.IsZero() {
			shown.Node, shown.Since = p.Spec.NodeName, since
		}
		pods = append(pods, shown)
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
// available, the rollout is complete instead: an old Pod that does not end says nothing about the new version. If a
// node or an old Pod is at fault, timeUp returns a *NodeError or an *OldPodError.
func (w *watcher) timeUp(ctx context.Context) error {
	if w.verdict.Up {
		w.verdict.State = k8srollout.Complete
		pipeline.Warn(w.out, "the new Pods are available, but the rollout is not complete after %s: %s",
			w.Timeout, w.verdict.Message)
		w.verdict.Message = fmt.Sprintf("%d of %d Pods available", w.verdict.Ready, w.verdict.Want)
		return nil
	}
	if err := w.atFault(); err != nil {
		return err
	}
	if w.verdict.State != k8srollout.Stalled {
		w.verdict.Reason = k8srollout.TimedOut
	} else if w.verdict.Port > 0 && !w.searched {
		w.wrongPort(ctx)
	}
	w.verdict.State = k8srollout.Failed
	w.verdict.Message = fmt.Sprintf("not complete after %s: %s", w.Timeout, w.verdict.Message)
	return nil
}

// wrongPort looks, once, for a port on which the container listens instead of its probe's. It reports whether it found
// one.
func (w *watcher) wrongPort(ctx context.Context) bool {
	w.searched = true
	if w.verdict.Shared { // an open port may be another container's, and the app may only be slow
		return false
	}
	if w.ports = w.listening(ctx, w.verdict); len(w.ports) == 0 {
		return false
	}
	w.verdict.Message += fmt.Sprintf(", and the container listens on %s", numbers(w.ports))
	return true
}
