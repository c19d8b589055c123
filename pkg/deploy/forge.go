package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/deploy/image"
	"norn/pkg/deploy/rollout"
	"norn/pkg/deploy/source"
	"norn/pkg/forge"
	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// forge returns forge's steps, or none with --version-only. It reads the cluster at once, so that conflicts, and Pods
// that the API server would refuse, stop the deploy before the build. A dry run has one placeholder step instead,
// because norn diff shows the changes.
func (r *run) forge(ctx context.Context, p pipeline.Runner, src sourced) (workload, traffic []forge.Step, err error) {
	o := forge.Options{
		Settings: r.options.Settings, Tunnel: r.options.Tunnel, Lock: r.options.Lock, DeployFollows: true,
		Repository: r.repo, NextImage: r.nextImage(src.tree), Timeout: r.options.Timeout, Strict: r.options.Strict,
	}
	switch {
	case r.options.VersionOnly:
		live := forge.Workload{Spec: r.spec, Kind: src.live.kind, Template: src.live.template}
		return nil, nil, forge.CheckVersion(ctx, r.cluster, p.To, o, live)
	case p.Dry:
		if err := r.checkForge(ctx, p, o); err != nil {
			return nil, nil, err
		}
		detail := "norn diff " + r.spec.App + infraspec.EnvironmentFlag(r.spec.Environment) + " shows what would change"
		if r.options.From != "" { // diff compares with the infraspec on disk
			detail = "applies the infraspec of this version"
		}
		plan := pipeline.Fixed(drift.Change{}, pipeline.Planned, detail)
		return []forge.Step{{Name: "forge", Plan: plan}}, nil, nil
	}
	o.Lock.Say = func(line string) { pipeline.Say(p.To, "forge", line) }
	o.Continues = r.options.Continues != nil
	return forge.Steps(ctx, r.cluster, p.To, r.spec, o)
}

// checkForge returns an error if forge's steps would fail before the first write. A user of a dry run need not be
// allowed to write.
func (r *run) checkForge(ctx context.Context, p pipeline.Runner, o forge.Options) error {
	err := forge.Check(ctx, r.cluster, p.To, r.spec, o)
	if denied, ok := errors.AsType[*k8s.DeniedError](err); ok {
		pipeline.Say(p.To, "forge", "cannot check what the cluster accepts: "+denied.Error())
		return nil
	}
	return err
}

// nextImage returns the name of the image that the deploy is going to ship, or "" if it is not known yet.
func (r *run) nextImage(tree source.Tree) string {
	if r.options.Image != "" {
		return r.options.Image
	}
	name, err := r.imageName(tree)
	if err != nil {
		return "" // the build reports it
	}
	return name
}

// NextImage returns an image name like those of future deploys, or "" if the registry's name is invalid.
func NextImage(registry, app string) string {
	const commit = "0123456789ab"
	if registry == "" {
		return image.LoadedName(app, commit, time.Time{})
	}
	name, err := image.PushedName(registry, app, commit)
	if err != nil {
		return "" // norn deploy reports it
	}
	return name
}

// Forge applies spec to the cluster. If that replaces the Pods of a Deployment, Forge watches the rollout like a
// deploy. If the rollout fails, Forge restores the version that ran before. It routes traffic only after the rollout.
// With o.NoWait, Forge does not watch.
func Forge(
	ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, t rollout.Target, o forge.Options,
) error {
	o.Repository, o.Timeout = Repository(ctx, t.Spec), t.Timeout
	o.Lock = o.Lock.For(o.Namespace, t.App, func(line string) { pipeline.Say(to, "lock", line) })
	if err := forge.CheckForge(ctx, cluster, t.Spec, o.Namespace, !o.NoWait); err != nil {
		return err
	}
	if err := CheckRunningUser(ctx, cluster, t.Spec, o.Settings, t.HideFunc()); err != nil {
		return err
	}
	p := pipeline.Runner{To: to}
	return lease.WithLock(ctx, cluster, o.Lock, func(ctx context.Context) error {
		workload, traffic, err := forge.Steps(ctx, cluster, to, t.Spec, o)
		if err != nil {
			return err
		}
		changes, err := pipeline.RunAll(ctx, p, workload)
		if err != nil {
			return err
		}
		if !o.NoWait {
			if err := watchForged(ctx, cluster, p, t, changes); err != nil {
				return err
			}
		}
		_, err = pipeline.RunAll(ctx, p, traffic)
		return err
	})
}

// watchForged watches the rollouts of the Deployments whose Pods forge has replaced. If the app has several processes,
// they are a release. The Deployments that an earlier forge has replaced before it was killed are part of it.
func watchForged(
	ctx context.Context, cluster *k8s.Client, p pipeline.Runner, t rollout.Target, changes []drift.Change,
) error {
	release := rollout.Release{Members: replacements(t, changes)}
	if len(t.Spec.Processes) > 0 {
		all, err := readProcesses(ctx, cluster, t)
		if err != nil {
			return err
		}
		unwatched, err := all.unwatched(ctx, cluster, t.Spec)
		if err != nil {
			return err
		}
		for _, m := range unwatched {
			replaced := slices.ContainsFunc(release.Members, func(r rollout.Member) bool { return r.Process == m.Process })
			if !replaced {
				release.Members = append(release.Members, m)
			}
		}
		all.addUnchanged(t.Spec, &release)
	}
	if len(release.Members) == 0 {
		return nil
	}
	watch := func(ctx context.Context, out io.Writer) (result pipeline.Result, err error) {
		for i := range release.Members {
			m := &release.Members[i]
			if m.RanBefore, err = ranBefore(ctx, cluster, m.Made.Before); err != nil {
				return result, err
			}
			m.PutBack = secretOf(cluster, t).putBack
		}
		release.Members[0].Claims = claimChanges(changes)
		return rollout.Run(ctx, cluster, out, release)
	}
	_, err := pipeline.RunStep(ctx, p, pipeline.Step[pipeline.None]{Name: "rollout", Run: pipeline.Act(watch)})
	return err
}

// Repository returns the name of the repository that spec's app belongs to, or "" if it is unknown. The name comes from
// repo.url, or else from the remote of the git repository that contains the infraspec. spec may be nil.
func Repository(ctx context.Context, spec *infraspec.Spec) string {
	if spec == nil {
		return ""
	}
	if spec.Repo.URL != "" {
		return source.RepositoryName(spec.Repo.URL)
	}
	return source.RepositoryOf(ctx, filepath.Dir(spec.Path()))
}

// ranBefore returns the ReplicaSet to restore if a change of the Deployment fails, or "".
func ranBefore(ctx context.Context, cluster *k8s.Client, before *appsv1.Deployment) (types.UID, error) {
	if c := metadata.CanaryOf(before); c != nil && c.RanBefore != "" {
		return c.RanBefore, nil
	}
	revisions, err := cluster.Revisions(ctx, before)
	if back, found := rollout.RevisionToRestore(revisions); found {
		return back.Set.UID, err
	}
	return "", err
}

// forgedDeployment returns forge's change of an existing Deployment, or nil.
func forgedDeployment(changes []drift.Change, name string) *rollout.Replacement {
	for _, c := range changes {
		before, _ := c.Before.(*appsv1.Deployment)
		after, _ := c.After.(*appsv1.Deployment)
		if before != nil && after != nil && after.Name == name {
			return &rollout.Replacement{Before: before, After: after}
		}
	}
	return nil
}

// claimChanges describes forge's changes of claims, such as "shop-data (created)".
func claimChanges(changes []drift.Change) []string {
	var out []string
	for _, c := range changes {
		if c.Kind == objects.KindClaim {
			out = append(out, fmt.Sprintf("%s (%s)", c.Name, c.State))
		}
	}
	return out
}

// replacements returns the Deployments of t's app whose Pods forge has replaced.
func replacements(t rollout.Target, changes []drift.Change) []rollout.Member {
	var made []rollout.Member
	for _, spec := range t.Spec.Workloads() {
		one := t
		one.Process, one.Spec = spec.Process, spec
		if one.Forged = forgedDeployment(changes, spec.Workload()); one.Forged != nil && replacesPods(one.Forged) {
			made = append(made, rollout.Member{Target: one, Made: one.Forged})
		}
	}
	return made
}

// replacesPods reports whether a change of a Deployment replaces its Pods now.
func replacesPods(r *rollout.Replacement) bool {
	return !r.After.Spec.Paused && rollout.Replaces(r.Before, r.After)
}
