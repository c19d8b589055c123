package deploy

import (
	"context"
	"io"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge"
	"norn/pkg/forge/drift"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/pipeline"
)

// forge returns forge's steps, or none with --version-only. It reads the cluster at once, so that conflicts stop the
// deploy before the build. A dry run has one placeholder step instead, because norn diff shows the changes.
func (r *run) forge(ctx context.Context, p pipeline.Runner) (workload, traffic []forge.Step, err error) {
	if r.options.VersionOnly {
		return nil, nil, nil
	}
	if p.Dry {
		detail := "norn diff " + r.spec.App + " shows what would change"
		plan := pipeline.Fixed(drift.Change{}, pipeline.Planned, detail)
		return []forge.Step{{Name: "forge", Plan: plan}}, nil, nil
	}
	o := forge.Options{Settings: r.options.Settings, Tunnel: r.options.Tunnel, Lock: r.options.Lock, DeployFollows: true}
	o.Lock.Say = func(line string) { pipeline.Say(p.To, "forge", line) }
	return forge.Steps(ctx, r.cluster, r.spec, o)
}

// Forge applies spec to the cluster. If that replaces the Pods of a Deployment, Forge watches the rollout like a
// deploy. If the rollout fails, Forge restores the version that ran before. It routes traffic only after the rollout.
// With o.NoWait, Forge does not watch.
func Forge(
	ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, t rollout.Target, o forge.Options,
) error {
	o.Lock = o.Lock.For(o.Namespace, t.App, func(line string) { pipeline.Say(to, "lock", line) })
	if err := forge.CheckForge(ctx, cluster, t.Spec, o.Namespace, !o.NoWait); err != nil {
		return err
	}
	p := pipeline.Runner{To: to}
	return lease.WithLock(ctx, cluster, o.Lock, func(ctx context.Context) error {
		workload, traffic, err := forge.Steps(ctx, cluster, t.Spec, o)
		if err != nil {
			return err
		}
		changes, err := pipeline.RunAll(ctx, p, workload)
		if err != nil {
			return err
		}
		for _, c := range changes {
			made, replaced := replacement(c)
			if !replaced || o.NoWait {
				continue
			}
			watch := func(ctx context.Context, out io.Writer) (result pipeline.Result, err error) {
				if t.RanBefore, err = ranBefore(ctx, cluster, made.Before); err != nil {
					return result, err
				}
				return rollout.Follow(ctx, cluster, out, t, made)
			}
			step := pipeline.Step[pipeline.None]{Name: "rollout", Run: pipeline.Act(watch)}
			if _, err := pipeline.RunStep(ctx, p, step); err != nil {
				return err
			}
		}
		_, err = pipeline.RunAll(ctx, p, traffic)
		return err
	})
}

// ranBefore returns the ReplicaSet whose Pods a change of the Deployment replaces, or "" if none of them was available.
func ranBefore(ctx context.Context, cluster *k8s.Client, before *appsv1.Deployment) (types.UID, error) {
	revisions, err := cluster.Revisions(ctx, before)
	for _, r := range revisions {
		if r.Current && r.Failed == "" && (r.Verified || r.Set.Status.AvailableReplicas > 0) {
			return r.Set.UID, err
		}
	}
	return "", err
}

// replacement returns the Deployment before and after a change, and whether the change replaces its Pods.
func replacement(c drift.Change) (made rollout.Replacement, replaced bool) {
	made.Before, _ = c.Before.(*appsv1.Deployment)
	made.After, _ = c.After.(*appsv1.Deployment)
	if made.Before == nil || made.After == nil || made.After.Spec.Paused {
		return made, false
	}
	return made, rollout.Replaces(made.Before, made.After)
}
