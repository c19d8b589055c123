package deploy

import (
	"context"
	"fmt"
	"io"
	"time"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// workerTrial is how long the Pod of an app without a port must run without ending. Most programs that cannot work end
// within seconds.
const workerTrial = 10 * time.Second

// prepared is what the steps before verify have done.
type prepared struct {
	migrated string // the version whose migration has run, or ""
	snapshot string // of the database before it, or ""
	secret   secretState
}

// verifies reports whether the app has a verify, and Pods to examine.
func (r *run) verifies() bool { return len(r.spec.Verify) > 0 && r.spec.Role.Standing() }

// checkVerify returns an error if no Pod of the new version can run beside those of the running one.
func (r *run) checkVerify() error {
	if !r.verifies() {
		return nil
	}
	recreates, err := objects.Recreates(r.spec, r.options.Settings)
	if err != nil || !recreates {
		return err
	}
	return &pipeline.UsageError{
		Problem: "verify starts a Pod beside the running ones, but the strategy of the Deployment is Recreate",
		Advice:  "remove verify from the infraspec, or the strategy from its overlay",
	}
}

// noVerify returns why there is no Pod to examine, or "".
func (r *run) noVerify(s shipment, secretVersion string) string {
	live := s.live.liveWorkload
	changes := len(live.differs) > 0 && !r.options.VersionOnly
	if secretVersion != "" && live.template != nil {
		changes = changes || live.template.Annotations[metadata.SecretAnnotation] != secretVersion
	}
	switch {
	case r.options.Continues != nil:
		return continues
	case r.spec.Replicas == 0:
		return "the app has 0 replicas"
	case (r.runsAlready(s) || s.sameContent() && !r.options.Force) && !changes:
		return "this version is already running"
	}
	return ""
}

// verify returns the step that examines a Pod of the new version before it gets requests. An app without a verify does
// not have the step.
func (r *run) verify(s shipment, before prepared) []pipeline.Step[pipeline.None] {
	if !r.verifies() {
		return nil
	}
	why := r.noVerify(s, before.secret.version)
	plan := planned(fmt.Sprintf("1 Pod of %s without requests, then %s", s.image, commandLine(r.spec.Verify)))
	if why != "" {
		plan = pipeline.Fixed(pipeline.None{}, pipeline.Skipped, why)
	}
	run := pipeline.Act(func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		err := (&examination{run: r, s: s, out: out}).removeEarlier(ctx)
		return pipeline.Result{State: pipeline.Skipped, Detail: why}, err
	})
	if why == "" {
		run = pipeline.Act(func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
			result, failed, err := (&examination{run: r, s: s, out: out}).examine(ctx)
			if failed == nil {
				return result, err
			}
			if err != nil { // the Pod could not be deleted
				pipeline.Warn(out, "%v", err)
			}
			r.options.Save(out, *failed)
			return pipeline.Result{}, &rollout.VerifyError{
				Evidence: *failed, Migrated: before.migrated != "", Snapshot: before.snapshot,
			}
		})
	}
	return []pipeline.Step[pipeline.None]{{Name: "verify", Run: run, Plan: plan}}
}

// verified runs the step of verify. If it fails, verified puts the previous values back into the app's Secret, which
// the step before has replaced.
func (r *run) verified(ctx context.Context, p pipeline.Runner, s shipment, before prepared) error {
	_, err := pipeline.RunAll(ctx, p, r.verify(s, before))
	if err == nil || !before.secret.previous {
		return err
	}
	r.standing = r.targets()
	return r.revert(ctx, p, err)
}
