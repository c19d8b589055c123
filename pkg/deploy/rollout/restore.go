package rollout

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// A restore outlives an interrupt of the run, so it has its own time limit: at least restoreTimeout, because a short
// --timeout for the new version does not mean that the old one starts as fast.
const (
	restoreTimeout = 5 * time.Minute
	restoreSlack   = time.Minute // for the API calls around it
)

// fail shows the evidence of the rollout that failed, restores the version of all Deployments that ran before, and
// returns an *Error with the outcome.
func (g *group) fail(ctx context.Context, r *run, evidence Failure) error {
	failure := &Error{evidence}
	f := &failure.Evidence
	in := g.currentRelease(ctx, g.runs)
	if r.current != nil {
		f.Revision = g.number(in, r.current)
		f.Image = metadata.ImageOf(r.current.Spec.Template.Spec, r.App)
	}
	r.markFailed(ctx, r.current, f.Reason, in)
	g.markReleased(ctx, g.targetsWithout(r), in)
	f.show(g.out)
	pipeline.Fail(g.out)
	f.Restored, f.Kept = g.restore(ctx, g.runs, r)
	if r.KeepFailed != "" {
		f.held, _ = errors.AsType[*objects.HeldError](objects.CheckHeld(r.applied))
	}
	if r.Failures != "" {
		if err := r.save(*f, time.Now()); err != nil {
			_, _ = fmt.Fprintln(g.out, err)
		}
	}
	return failure
}

func (r *runner) markFailed(
	ctx context.Context, rs *appsv1.ReplicaSet, reason k8srollout.Reason, in metadata.Release,
) {
	if rs == nil {
		return
	}
	if err := r.cluster.MarkFailed(ctx, rs, reason, time.Now(), in); err != nil {
		_, _ = fmt.Fprintln(r.out, err)
	}
}

// stop restores the version of these Deployments that ran before, because the release has ended with err.
func (g *group) stop(ctx context.Context, runs []*run, err error) error {
	if len(runs) == 0 || runs[0].KeepFailed != "" {
		return err
	}
	_, _ = fmt.Fprintln(g.out, err)
	pipeline.Fail(g.out)
	_, kept := g.restore(ctx, runs, nil)
	if kept != "" {
		err = errors.Join(err, fmt.Errorf("the previous version was not restored: %s", kept))
	}
	return err
}

// restore goes back, side by side, to the revisions that ran before. It returns which revisions run again, or why one
// does not. Only the Deployment that failed is restored even if its version has not changed. The Pods of processes that
// are new in the release end, because a release runs as a whole or not at all. If the app has only one process, its
// Pods stay: there is nothing else that could run.
func (g *group) restore(ctx context.Context, runs []*run, failed *run) (restored, kept string) {
	if kept := runs[0].KeepFailed; kept != "" {
		return "", kept
	}
	g.lines.restore()
	timeout := max(runs[0].Timeout, restoreTimeout)
	ctx, cancel := lease.CleanupContext(ctx, timeout+restoreSlack)
	defer cancel()
	backs := make([]*back, len(runs))
	for i, r := range runs {
		r.Timeout, r.AllowRestarts = timeout, max(r.AllowRestarts, k8srollout.DefaultAllowedRestarts)
		backs[i] = r.back(ctx)
	}
	g.Others, g.Jobs = append(g.Others, g.Dropped...), append(g.Jobs, g.DroppedJobs...) // they go on
	g.Dropped, g.DroppedJobs = nil, nil
	defer g.observe(ctx)()
	var restores sync.WaitGroup
	for i, r := range runs {
		b := backs[i]
		switch {
		case errors.Is(b.err, errNoVerified) && g.several():
			restores.Go(func() { r.scaleAway(ctx, b) })
		case errors.Is(b.err, errRanAlready) && r != failed:
			restores.Go(func() { r.stay(ctx, b) })
		case b.err == nil:
			restores.Go(func() { r.goBack(ctx, b) })
		}
	}
	restores.Wait()
	return g.conclude(ctx, runs, backs)
}

// back is the way back to what ran before, and its end.
type back struct {
	live    *appsv1.Deployment
	to      k8s.Revision
	verdict k8srollout.Verdict
	current *appsv1.ReplicaSet
	gone    bool  // scaled to 0, because the process is new
	stays   bool  // its revision ran before, and still does
	err     error // why the previous version does not run
}

// back finds the way back.
func (r *runner) back(ctx context.Context) *back {
	b := &back{}
	b.live, b.to, b.err = r.target(ctx)
	return b
}

// goBack restores a revision, and waits until it runs.
func (r *run) goBack(ctx context.Context, b *back) {
	to := inHistory(b.to)
	_, _ = fmt.Fprintf(r.out, "restoring %s\n", Describe(to))
	_ = r.noteFailedPods(ctx) // if it fails, the Pods noted before the first change still do not count
	restored, err := r.RestoreRevision(ctx, r.cluster, r.out, b.live, b.to.Set)
	if err == nil {
		restored, err = r.revertForge(ctx, restored)
	}
	r.keepClaims()
	if b.err = err; err != nil {
		return
	}
	r.changed = !b.to.Verified // else an earlier run has watched its Pods for a while
	r.restoring = fmt.Sprintf("restoring revision %d", to.Number)
	b.verdict, b.current, b.err = r.watch(ctx, restored)
	if b.err == nil && b.verdict.State != k8srollout.Complete {
		r.markFailed(ctx, b.current, b.verdict.Reason, metadata.Release{})
		b.err = fmt.Errorf("the rollout of the previous version failed too: %s", b.verdict.Message)
	}
}

// keepClaims says which changes of claims stay.
func (r *runner) keepClaims() {
	for _, change := range r.Claims {
		_, _ = fmt.Fprintf(r.out, "PersistentVolumeClaim %s stays: norn deletes no data, and a claim cannot shrink\n", change)
	}
}

// stay reverts what forge has changed in a Deployment whose version ran before.
func (r *run) stay(ctx context.Context, b *back) {
	_, b.err = r.revertForge(ctx, b.live)
	r.keepClaims()
	b.stays, b.verdict, b.current = true, r.verdict, r.current
}

// scaleAway ends the Pods of a process that is new.
func (r *run) scaleAway(ctx context.Context, b *back) {
	_, _ = fmt.Fprintln(r.out, "ending its Pods, because the process is new")
	b.err = ScaleAway(ctx, r.cluster, b.live)
	b.gone = b.err == nil
}

// ScaleAway ends the Pods of a process that is not part of a release. It returns a *ChangedError if the Deployment no
// longer has the version that live has.
func ScaleAway(ctx context.Context, cluster *k8s.Client, live *appsv1.Deployment) error {
	return k8s.RetryOnConflict(func() error { // the controller may write the status in between
		now, err := cluster.GetDeployment(ctx, live.Namespace, live.Name)
		if err == nil {
			err = CheckUnchanged(live, now)
		}
		if err != nil || k8s.IsAway(now) {
			return err
		}
		_, err = cluster.ScaleAway(ctx, now)
		return err
	})
}

// target returns the Deployment as it is now, and the revision to restore. It returns an error if somebody else has
// replaced the failed version, or if there is none to restore.
func (r *runner) target(ctx context.Context) (*appsv1.Deployment, k8s.Revision, error) {
	live, err := r.cluster.GetDeployment(ctx, r.Namespace, r.Workload())
	if err != nil {
		return nil, k8s.Revision{}, err
	}
	if err := CheckUnchanged(r.applied, live); err != nil {
		return nil, k8s.Revision{}, err
	}
	revisions, err := r.cluster.Revisions(ctx, live)
	if err != nil {
		return nil, k8s.Revision{}, err
	}
	unchanged := !r.before.Spec.Paused && k8s.SameVersion(r.before.Spec.Template, live.Spec.Template)
	target, err := r.restoreTarget(revisions, unchanged)
	return live, target, err
}

// inHistory returns a revision with the number that the history shows: that of the last release of which it is a part,
// if the app has several processes.
func inHistory(v k8s.Revision) k8s.Revision {
	if n := len(v.Releases); n > 0 {
		v.Number = v.Releases[n-1].Number
	}
	return v
}

// Describe returns a revision's name for messages.
func Describe(r k8s.Revision) string {
	if r.Set == nil {
		return ""
	}
	if r.Commit != "" {
		return fmt.Sprintf("revision %d, commit %s", r.Number, metadata.ShortCommit(r.Commit))
	}
	if r.Image == "" { // a revision from before norn, whose container has another name
		return fmt.Sprintf("revision %d", r.Number)
	}
	return fmt.Sprintf("revision %d, %s", r.Number, r.Image)
}
