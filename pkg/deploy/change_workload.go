package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s/lease"
	"norn/pkg/pipeline"
)

// undoTimeout bounds a restore before the rollout.
const undoTimeout = time.Minute

// changeWorkload runs forge's workload steps and the rollout. If the version cannot be changed, it reverts the earlier
// changes to the workload and its Secret. A failed rollout restores them itself. A version that somebody else has set
// since before was read stays.
func (r *run) changeWorkload(
	ctx context.Context, p pipeline.Runner, before liveApp, workload []forge.Step, change pipeline.Step[pipeline.None],
) error {
	if !p.Dry {
		if err := r.noteRanBefore(ctx, before); err != nil {
			return r.revert(ctx, p, err)
		}
	}
	workload = r.deferCronJobs(workload)
	changes, err := pipeline.RunAll(ctx, p, workload)
	for i := range r.standing {
		r.standing[i].Forged = forgedDeployment(changes, r.standing[i].Workload())
	}
	if len(r.standing) > 0 {
		r.standing[0].Claims = claimChanges(changes)
	}
	if err == nil {
		_, err = pipeline.RunStep(ctx, p, change)
	}
	_, failed := errors.AsType[*rollout.Error](err)
	_, continues := errors.AsType[*rollout.ContinuesError](err)
	_, changed := errors.AsType[*rollout.ChangedError](err)
	if err == nil || failed || continues || changed {
		return err
	}
	return r.revert(ctx, p, err)
}

// deferCronJobs removes the steps that change CronJobs, if the app has Deployments too. They run when all Deployments
// are complete, so that a release that fails leaves the CronJobs as they are.
func (r *run) deferCronJobs(steps []forge.Step) []forge.Step {
	if len(r.standing) == 0 {
		return steps
	}
	for _, s := range steps {
		if forge.ChangesCronJob(s) {
			r.deferred = append(r.deferred, s)
		}
	}
	return slices.DeleteFunc(steps, forge.ChangesCronJob)
}

// removesWorkload reports whether a step after the rollout removes a workload. None changes one.
func removesWorkload(s forge.Step) bool {
	return forge.ChangesCronJob(s) || strings.HasPrefix(s.Name, objects.KindDeployment+" ")
}

// noteRanBefore finds the ReplicaSets that a failed rollout restores. It returns a *rollout.ChangedError if somebody
// else has changed a version since before was read.
func (r *run) noteRanBefore(ctx context.Context, before liveApp) error {
	r.standing = r.targets()
	all, err := r.unchanged(ctx, before)
	for i, now := range all {
		if now != nil && err == nil {
			r.standing[i].RanBefore, err = ranBefore(ctx, r.cluster, now)
		}
	}
	return err
}

// targets returns the targets of the processes with a Deployment.
func (r *run) targets() []rollout.Target {
	var all []rollout.Target
	for _, spec := range r.spec.Workloads() {
		if spec.Role.Standing() {
			all = append(all, r.target(spec))
		}
	}
	return all
}

// revert reverts the changes to the app's workloads and Secret after err. It returns err, and an *UnfinishedError if it
// failed.
func (r *run) revert(ctx context.Context, p pipeline.Runner, err error) error {
	if len(r.standing) == 0 {
		return err
	}
	undo := pipeline.Act(func(ctx context.Context, out io.Writer) (result pipeline.Result, err error) {
		for _, t := range r.standing {
			undone, failed := rollout.Undo(ctx, r.cluster, out, t)
			err = errors.Join(err, failed)
			if result.State != pipeline.Configured {
				result = undone
			}
		}
		return result, err
	})
	ctx, cancel := lease.CleanupContext(ctx, undoTimeout) // after an interrupt too
	defer cancel()
	_, undoErr := pipeline.RunStep(ctx, p, pipeline.Step[pipeline.None]{Name: "restore", Run: undo})
	if undoErr != nil {
		undoErr = &UnfinishedError{r.spec.App, undoErr}
	}
	return errors.Join(err, undoErr)
}

// UnfinishedError reports that a deploy failed before its rollout, and could not revert its changes.
type UnfinishedError struct {
	App string
	Err error // of the attempt to revert them
}

// Error names the app.
func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("cannot revert the changes to %s: %v", e.App, e.Err)
}

// Hint returns how to complete the changes.
func (*UnfinishedError) Hint() string { return "run the same command again to complete the changes" }

func (e *UnfinishedError) Unwrap() error { return e.Err }
