package rollout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// Release is a change of an app's Deployments. It succeeds or fails as a whole.
type Release struct {
	Members []Member
	Others  []Target // the Deployments of the app that the release leaves as they are
	Jobs    []string // the names of the processes that are CronJobs
	// Dropped are the Deployments of processes that end after the release, and DroppedJobs the names of such CronJobs. If
	// the release fails, they go on.
	Dropped     []Target
	DroppedJobs []string
	// Last, if not nil, changes what needs no watch, when all Deployments are complete. If it fails, so does the release.
	Last func(ctx context.Context, out io.Writer) error
	// Canary, if not nil, says what follows when the first new Pods of the Deployments run that Change has held.
	Canary *Canary
}

// Member is a Deployment of a release, and its change.
type Member struct {
	Target
	Change Change
	Made   *Replacement // the change, if the caller has made it already; else nil
}

// Run changes the Deployments of a release and waits until all new Pods run. If the changes have no effect, the result
// is Unchanged. If the new version of one fails, Run restores in all the one that ran before, unless KeepFailed is set,
// and returns an *Error. If somebody else changes the version of one, Run leaves theirs, restores the others and
// returns a *ChangedError.
func Run(ctx context.Context, cluster *k8s.Client, out io.Writer, release Release) (pipeline.Result, error) {
	lines := &labels{out: out}
	g := &group{Release: release, cluster: cluster, out: out, lines: lines}
	for _, m := range release.Members {
		r := &runner{Target: m.Target, cluster: cluster, out: out}
		if len(release.Members) > 1 {
			r.label = m.ProcessName()
			r.out = lines.of(r.label)
		}
		r.PutBack = g.oneAtATime(m.PutBack)
		g.runs = append(g.runs, &run{runner: r})
	}
	return g.run(ctx)
}

// group is a release in progress.
type group struct {
	Release
	cluster *k8s.Client
	out     io.Writer
	lines   *labels
	runs    []*run

	putBack sync.Mutex
}

// run is the rollout of one Deployment, and its end.
type run struct {
	*runner
	verdict k8srollout.Verdict
	current *appsv1.ReplicaSet
	err     error
}

func (r *run) failed() bool { return r.err == nil && r.verdict.State == k8srollout.Failed }

// several reports whether the release has several workloads. The revisions of a single one are the app's releases,
// unless it had several before.
func (g *group) several() bool { return len(g.Members)+len(g.Others)+len(g.Jobs) > 1 }

func (g *group) run(ctx context.Context) (pipeline.Result, error) {
	for i, r := range g.runs {
		if err := r.start(ctx, g.Members[i]); err != nil {
			return pipeline.Result{}, g.stop(ctx, g.runs[:i], err)
		}
	}
	if err := g.watched(ctx); err != nil {
		return pipeline.Result{}, err
	}
	if held := g.held(); g.Canary != nil && len(held) > 0 {
		if err := g.canary(ctx, held); err != nil {
			return pipeline.Result{}, err
		}
		if g.Canary.Held {
			return g.heldResult(held), nil
		}
	}
	if g.Last != nil {
		if err := g.Last(ctx, g.out); err != nil {
			return pipeline.Result{}, g.stop(ctx, g.runs, err)
		}
	}
	in := g.currentRelease(ctx, g.runs)
	for _, r := range g.runs {
		r.verify(ctx, r.verdict, r.current, in)
	}
	g.markReleased(ctx, g.Others, in)
	for _, r := range g.runs {
		r.trim(ctx)
	}
	return g.result(in), nil
}

// watched watches the changes to their end; see outcome.
func (g *group) watched(ctx context.Context) error {
	g.watch(ctx)
	return g.outcome(ctx)
}

// outcome returns nil if the watch of all Deployments ended well. Else it restores what ran before, where norn may, and
// returns an error.
func (g *group) outcome(ctx context.Context) error {
	if i := slices.IndexFunc(g.runs, (*run).failed); i >= 0 {
		return g.fail(ctx, g.runs[i], g.runs[i].investigate(ctx, g.runs[i].verdict))
	}
	var left error
	for i, r := range g.runs {
		if changed, ok := errors.AsType[*ChangedError](r.err); ok {
			return g.changed(ctx, i, changed)
		}
		if left == nil && r.err != nil {
			left = g.continues(r, r.err)
		}
	}
	return left
}

// changed ends a release of which somebody else has changed a Deployment: it leaves theirs and restores the others.
func (g *group) changed(ctx context.Context, i int, err *ChangedError) error {
	g.letGo(ctx, g.runs[i], err)
	return g.stop(ctx, slices.Delete(slices.Clone(g.runs), i, i+1), err)
}

// continues returns the error of a release that norn leaves to the cluster because of err.
func (g *group) continues(r *run, err error) error {
	e := &ContinuesError{App: r.App, Err: err}
	for _, held := range g.held() {
		e.Held, _ = errors.AsType[*objects.HeldError](objects.CheckHeld(held.applied))
	}
	return e
}

// errDecided ends the watches of a release that another Deployment has decided.
var errDecided = errors.New("another Deployment has decided the release")

// watch watches all Deployments side by side, until all are complete, one fails, or somebody else changes one.
func (g *group) watch(ctx context.Context) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer g.observe(ctx)()
	var all completeness
	if len(g.runs) > 1 {
		all.of = make([]bool, len(g.runs))
	}
	var watches sync.WaitGroup
	for i, r := range g.runs {
		if all.of != nil {
			r.release = func(complete bool) bool {
				if !all.set(i, complete) {
					return false
				}
				end(errAllComplete)
				return true
			}
		}
		watches.Go(func() {
			r.verdict, r.current, r.err = r.watch(ctx, r.applied)
			if _, changed := errors.AsType[*ChangedError](r.err); changed || r.failed() {
				end(errDecided)
			}
		})
	}
	watches.Wait()
	for _, r := range g.runs {
		r.release = nil // of the change; a restore ends by itself
	}
}

// observe prepares the watch that the Deployments share, until stop is called.
func (g *group) observe(ctx context.Context) (stop func()) {
	var names []string
	for _, r := range g.runs {
		names = append(names, r.Workload())
	}
	objects := g.cluster.Watch(ctx, g.runs[0].Namespace, g.runs[0].App, names...)
	for _, r := range g.runs {
		r.objects = objects
	}
	return objects.Stop
}

// completeness says which Deployments of a release are complete.
type completeness struct {
	mu sync.Mutex
	of []bool
}

// set records whether a Deployment is complete, and reports whether all are.
func (c *completeness) set(i int, complete bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[i] = complete
	return !slices.Contains(c.of, false)
}

// maxDetails is how many processes a result describes one by one.
const maxDetails = 4

// result returns what the release has changed. in is its number, or the zero Release for an app with one workload.
func (g *group) result(in metadata.Release) pipeline.Result {
	result := pipeline.Result{State: pipeline.Unchanged}
	var details []string
	ready, want := 0, 0
	for _, r := range g.runs {
		if !r.unchanged {
			result.State = pipeline.Done
		}
		details = append(details, r.detail())
		ready, want = ready+r.verdict.Ready, want+r.verdict.Want
	}
	result.Detail = strings.Join(details, "; ")
	if len(g.runs) > maxDetails {
		result.Detail = fmt.Sprintf("%d of %d Pods of %d processes available", ready, want, len(g.runs))
	}
	if number := g.number(in, g.runs[0].current); number != "" {
		result.Detail = fmt.Sprintf("revision %s, %s", number, result.Detail)
	}
	return result
}

// detail describes how the rollout of a Deployment has ended. It names the process if the release has several.
func (r *run) detail() string {
	if r.label == "" {
		return r.verdict.Message
	}
	return r.label + ": " + r.verdict.Message
}

// number returns the number that the history shows for a release, of which current is a part. It is "" if the release
// has none because its history could not be read.
func (g *group) number(in metadata.Release, current *appsv1.ReplicaSet) string {
	switch {
	case in.Number > 0:
		return strconv.FormatInt(in.Number, 10)
	case g.several():
		return ""
	}
	return current.Annotations[metadata.RevisionAnnotation]
}

// oneAtATime returns a function that calls putBack for one Deployment at a time, because all read the app's Secret.
func (g *group) oneAtATime(
	putBack func(context.Context, io.Writer, *appsv1.ReplicaSet) error,
) func(context.Context, io.Writer, *appsv1.ReplicaSet) error {
	if putBack == nil {
		return nil
	}
	return func(ctx context.Context, out io.Writer, to *appsv1.ReplicaSet) error {
		g.putBack.Lock()
		defer g.putBack.Unlock()
		return putBack(ctx, out, to)
	}
}
