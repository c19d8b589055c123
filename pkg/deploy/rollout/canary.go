package rollout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// Canary says what follows when the first new Pods of a release run, beside the old ones. If one fails, it is the
// release that has failed.
type Canary struct {
	For time.Duration // how long norn watches the Pods before it continues; 0 means that they stay until somebody does
	// Check, if not nil, examines a new Pod again and again while norn watches. If the Pod fails, it returns the evidence,
	// which it has shown.
	Check func(ctx context.Context, out io.Writer, pod *corev1.Pod) (*Failure, error)
	Held  bool // set by Run if the canary stays
}

// checkEvery is how long the Pods of a canary have between two checks.
const checkEvery = 5 * time.Second

// held returns the Deployments that the change has held.
func (g *group) held() []*run {
	return slices.DeleteFunc(slices.Clone(g.runs), func(r *run) bool { return metadata.CanaryOf(r.applied) == nil })
}

// canary watches the Pods of a canary that have come up, and lets the rollout continue if they stay up.
func (g *group) canary(ctx context.Context, held []*run) error {
	for _, r := range held {
		if err := g.write(ctx, r, g.cluster.PauseCanary); err != nil {
			return err
		}
	}
	if err := g.try(ctx, held); err != nil {
		return err
	}
	if g.Canary.For == 0 {
		g.Canary.Held = true
		return nil
	}
	for _, r := range held {
		_, _ = fmt.Fprintf(r.out, "%s; the rollout continues\n", r.verdict.Message)
		if err := g.write(ctx, r, endHold(g.cluster)); err != nil {
			return err
		}
	}
	return g.watched(ctx)
}

// write changes a Deployment with a canary. If somebody else has changed its version, write leaves theirs and restores
// the others. If it cannot be changed, the canary stays.
func (g *group) write(ctx context.Context, r *run, change changeOf) error {
	written, err := onUnchanged(ctx, r.cluster, r.applied, change)
	if changed, ok := errors.AsType[*ChangedError](err); ok {
		return g.changed(ctx, slices.Index(g.runs, r), changed)
	}
	if err != nil {
		return g.continues(r, err)
	}
	r.applied = written
	return nil
}

// ContinueCanary ends the hold of a Deployment with a canary, so that its rollout continues. It returns a *ChangedError
// if the Deployment no longer has the version that live has.
func ContinueCanary(ctx context.Context, cluster *k8s.Client, live *appsv1.Deployment) (*appsv1.Deployment, error) {
	return onUnchanged(ctx, cluster, live, endHold(cluster))
}

// changeOf changes a Deployment, and returns it as the API server answered.
type changeOf func(context.Context, *appsv1.Deployment) (*appsv1.Deployment, error)

// endHold ends the hold of a Deployment with a canary, and its pause.
func endHold(cluster *k8s.Client) changeOf {
	return func(ctx context.Context, live *appsv1.Deployment) (*appsv1.Deployment, error) {
		return cluster.EndCanary(ctx, live, false)
	}
}

// onUnchanged makes a change of a Deployment that still has the version that live has.
func onUnchanged(
	ctx context.Context, cluster *k8s.Client, live *appsv1.Deployment, change changeOf,
) (*appsv1.Deployment, error) {
	return cluster.OnCurrent(ctx, live, func(now *appsv1.Deployment) (*appsv1.Deployment, error) {
		if err := CheckUnchanged(live, now); err != nil {
			return nil, err
		}
		return change(ctx, now)
	})
}

// try watches the Pods of a canary for the time that it lasts, and checks them meanwhile. From now on, no restart is
// allowed. An error that is not the version's fault leaves the canary.
func (g *group) try(ctx context.Context, held []*run) error {
	reset, err := g.allowNoRestart(ctx, held)
	if err != nil {
		return err
	}
	watching, end := context.WithCancelCause(ctx)
	defer end(nil)
	enough, checked := make(chan struct{}), make(chan checkResult, 1)
	main := g.checks(held)
	go func() {
		result := main.repeat(watching, enough)
		if result.failed != nil {
			end(errDecided)
		}
		checked <- result
	}()
	if g.Canary.For > 0 {
		g.watch(watching)
	}
	ended := slices.ContainsFunc(g.runs, func(r *run) bool { return r.failed() || r.err != nil })
	if ended {
		end(errDecided)
	}
	close(enough)
	result := <-checked
	reset()
	switch {
	case ctx.Err() != nil:
		return g.continues(held[0], context.Cause(ctx))
	case result.failed != nil:
		result.failed.Process, result.failed.Want = main.label, main.verdict.Want
		return g.fail(ctx, main.run, *result.failed)
	case result.err != nil && !ended:
		return g.continues(main.run, result.err)
	}
	return g.outcome(ctx)
}

// allowNoRestart makes further restarts of the new Pods failures of the canary, until reset is called.
func (g *group) allowNoRestart(ctx context.Context, held []*run) (reset func(), err error) {
	before := make([]int, len(held))
	for i, r := range held {
		before[i] = r.AllowRestarts
		pods, err := r.newPods(ctx, r.current)
		if err != nil {
			return nil, g.continues(r, err)
		}
		r.AllowRestarts, r.trial = min(r.AllowRestarts, mostRestarts(pods)), g.Canary.For
	}
	return func() {
		for i, r := range held {
			r.AllowRestarts, r.trial = before[i], 0
		}
	}, nil
}

// checkResult is how the checks of a canary have ended.
type checkResult struct {
	failed *Failure // the evidence of a Pod that has failed a check
	err    error    // why the last check could not be made
}

// checks are the checks of the main process's canary.
type checks struct {
	*run
	current *appsv1.ReplicaSet // of the new Pods; the watch may change that of run
	check   func(ctx context.Context, out io.Writer, pod *corev1.Pod) (*Failure, error)
}

// checks returns the checks of the new Pods. Those of other processes have no address to check.
func (g *group) checks(held []*run) checks {
	c := checks{run: held[0], current: held[0].current}
	for _, r := range held {
		if r.Process == "" {
			c = checks{r, r.current, g.Canary.Check}
		}
	}
	return c
}

// repeat checks the new Pods in turn, at least one of them, until enough is closed or one fails.
func (c checks) repeat(ctx context.Context, enough <-chan struct{}) (last checkResult) {
	if c.check == nil {
		return checkResult{}
	}
	for n := 0; ; n++ {
		before := last.err
		last = c.once(ctx, n)
		if last.failed != nil || ctx.Err() != nil {
			return last
		}
		if last.err != nil && before == nil {
			pipeline.Warn(c.out, "the canary could not be checked: %v", last.err)
		}
		select {
		case <-enough:
			return last
		case <-ctx.Done():
			return last
		case <-time.After(checkEvery):
		}
	}
}

// once checks one of the new Pods. While they are being replaced there is none, which the watch judges.
func (c checks) once(ctx context.Context, n int) checkResult {
	pods, err := c.newPods(ctx, c.current)
	if err != nil || len(pods) == 0 {
		return checkResult{err: err}
	}
	failed, err := c.check(ctx, c.out, &pods[n%len(pods)])
	return checkResult{failed, err}
}

// newPods returns the Pods of a revision that are not terminating.
func (r *run) newPods(ctx context.Context, current *appsv1.ReplicaSet) ([]corev1.Pod, error) {
	pods, err := r.cluster.GetPods(ctx, r.Namespace, r.Workload())
	return slices.DeleteFunc(pods, func(p corev1.Pod) bool {
		return !metav1.IsControlledBy(&p, current) || p.DeletionTimestamp != nil
	}), err
}

// mostRestarts returns how often a Pod's containers have restarted, for the Pod with the most restarts.
func mostRestarts(pods []corev1.Pod) int {
	most := 0
	for i := range pods {
		most = max(most, k8srollout.Summarize(&pods[i]).Restarts)
	}
	return most
}

// letGo ends the hold of a Deployment whose version somebody else has changed, so that it does not hold theirs. A pause
// of theirs stays. If they have only paused it, the canary stays too.
func (g *group) letGo(ctx context.Context, r *run, changed *ChangedError) {
	if metadata.CanaryOf(r.applied) == nil || changed.Paused {
		return
	}
	ctx, cancel := lease.CleanupContext(ctx, restoreSlack)
	defer cancel()
	live, err := g.cluster.GetDeployment(ctx, r.Namespace, r.Workload())
	if err == nil {
		_, err = g.cluster.OnCurrent(ctx, live, func(now *appsv1.Deployment) (*appsv1.Deployment, error) {
			return g.cluster.EndCanary(ctx, now, now.Spec.Paused && !r.applied.Spec.Paused)
		})
	}
	if err != nil {
		pipeline.Warn(g.out, "Deployment %s is still held: %v", r.Workload(), err)
	}
}

// heldResult describes a canary that stays.
func (g *group) heldResult(held []*run) pipeline.Result {
	var details []string
	for _, r := range held {
		details = append(details, r.detail())
	}
	return pipeline.Result{State: pipeline.Done, Detail: "canary: " + strings.Join(details, "; ")}
}
