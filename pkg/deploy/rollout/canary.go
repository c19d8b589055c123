package rollout

import (
	"context"
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
		if err := r.pause(ctx); err != nil {
			return g.stop(ctx, g.runs, err)
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
		continued, err := ContinueCanary(ctx, r.cluster, r.applied)
		if err != nil {
			return g.stop(ctx, g.runs, err)
		}
		r.applied = continued
	}
	return g.watched(ctx)
}

// ContinueCanary ends the hold of a Deployment with a canary, so that its rollout continues. It returns a *ChangedError
// if the Deployment no longer has the version that live has.
func ContinueCanary(ctx context.Context, cluster *k8s.Client, live *appsv1.Deployment) (*appsv1.Deployment, error) {
	return cluster.OnCurrent(ctx, live, func(now *appsv1.Deployment) (*appsv1.Deployment, error) {
		if err := CheckUnchanged(live, now); err != nil {
			return nil, err
		}
		return cluster.EndCanary(ctx, now)
	})
}

// pause pauses the Deployment of a canary.
func (r *run) pause(ctx context.Context) error {
	paused, err := r.cluster.OnCurrent(ctx, r.applied, func(now *appsv1.Deployment) (*appsv1.Deployment, error) {
		if err := CheckUnchanged(r.applied, now); err != nil {
			return nil, err
		}
		return r.cluster.PauseCanary(ctx, now)
	})
	if err == nil {
		r.applied = paused
	}
	return err
}

// try watches the Pods of a canary for the time that it lasts, and checks them meanwhile. From now on, no restart is
// allowed.
func (g *group) try(ctx context.Context, held []*run) error {
	for _, r := range held {
		pods, err := r.newPods(ctx)
		if err != nil {
			return &ContinuesError{r.App, err, true}
		}
		defer func(allowed int) { r.AllowRestarts, r.trial = allowed, 0 }(r.AllowRestarts)
		r.AllowRestarts, r.trial = min(r.AllowRestarts, mostRestarts(pods)), g.Canary.For
	}
	watching, end := context.WithCancelCause(ctx)
	defer end(nil)
	enough, checked := make(chan struct{}), make(chan checkResult, 1)
	go func() {
		result := g.check(watching, held[0], enough)
		if result.failed != nil || result.err != nil {
			end(errDecided)
		}
		checked <- result
	}()
	if g.Canary.For > 0 {
		g.watch(watching)
	}
	ended := func(r *run) bool { return r.failed() || r.err != nil }
	if slices.ContainsFunc(g.runs, ended) {
		end(errDecided)
	}
	close(enough)
	result := <-checked
	switch {
	case result.failed != nil:
		return g.fail(ctx, held[0], *result.failed)
	case result.err != nil && ctx.Err() == nil && !slices.ContainsFunc(g.runs, (*run).failed):
		return g.stop(ctx, g.runs, result.err)
	}
	return g.outcome(ctx)
}

// checkResult is how the checks of a canary have ended.
type checkResult struct {
	failed *Failure // the evidence of a Pod that has failed a check
	err    error    // why a check could not be made
}

// check checks the new Pods of a Deployment in turn, at least one of them, until enough is closed or one fails.
func (g *group) check(ctx context.Context, r *run, enough <-chan struct{}) checkResult {
	if g.Canary.Check == nil {
		return checkResult{}
	}
	for n := 0; ; n++ {
		pods, err := r.newPods(ctx)
		if err != nil {
			return checkResult{err: err}
		}
		if len(pods) > 0 { // else they are being replaced, and the watch judges that
			failed, err := g.Canary.Check(ctx, r.out, &pods[n%len(pods)])
			if failed != nil {
				failed.Process, failed.Ready, failed.Want = r.label, r.verdict.Ready, r.verdict.Want
			}
			if failed != nil || err != nil {
				return checkResult{failed, err}
			}
		}
		select {
		case <-enough:
			return checkResult{}
		case <-ctx.Done():
			return checkResult{err: context.Cause(ctx)}
		case <-time.After(checkEvery):
		}
	}
}

// newPods returns the Pods of the current revision that are not terminating.
func (r *run) newPods(ctx context.Context) ([]corev1.Pod, error) {
	pods, err := r.cluster.GetPods(ctx, r.Namespace, r.Workload())
	return slices.DeleteFunc(pods, func(p corev1.Pod) bool {
		return !metav1.IsControlledBy(&p, r.current) || p.DeletionTimestamp != nil
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

// letGo ends the hold of a Deployment that somebody else has changed, so that it does not hold their version.
func (g *group) letGo(ctx context.Context, r *run) {
	if metadata.CanaryOf(r.applied) == nil {
		return
	}
	ctx, cancel := lease.CleanupContext(ctx, restoreSlack)
	defer cancel()
	live, err := g.cluster.GetDeployment(ctx, r.Namespace, r.Workload())
	if err == nil {
		_, err = g.cluster.OnCurrent(ctx, live, func(now *appsv1.Deployment) (*appsv1.Deployment, error) {
			return g.cluster.EndCanary(ctx, now)
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
		detail := r.verdict.Message
		if r.label != "" {
			detail = r.label + ": " + detail
		}
		details = append(details, detail)
	}
	return pipeline.Result{State: pipeline.Done, Detail: "canary: " + strings.Join(details, "; ")}
}
