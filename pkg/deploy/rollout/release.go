package rollout

import (
	"context"
	"slices"

	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// currentRelease returns the release that consists of the current revisions of these Deployments and of what the
// release leaves as it is. It returns the zero Release if the app has one workload and had no other, or if the history
// cannot be read.
func (g *group) currentRelease(ctx context.Context, running []*run) metadata.Release {
	names := slices.Clone(g.Jobs)
	for _, r := range running {
		names = append(names, r.ProcessName())
	}
	for _, t := range g.Others {
		names = append(names, t.ProcessName())
	}
	slices.Sort(names)
	var histories [][]k8s.Revision
	for _, t := range g.targetsWithout(nil) {
		revisions, err := g.revisions(ctx, t)
		if err != nil {
			if g.several() {
				pipeline.Warn(g.out, "the history does not show which revisions belong together: %v", err)
			}
			return metadata.Release{}
		}
		histories = append(histories, revisions)
	}
	marked := slices.ContainsFunc(slices.Concat(histories...), func(v k8s.Revision) bool { return len(v.Releases) > 0 })
	if !g.several() && !marked {
		return metadata.Release{}
	}
	return numbered(names, histories)
}

// targetsWithout returns all Deployments of the app but that of r.
func (g *group) targetsWithout(r *run) []Target {
	targets := slices.Clone(g.Others)
	for _, other := range g.runs {
		if other != r {
			targets = append(targets, other.Target)
		}
	}
	return targets
}

func (g *group) revisions(ctx context.Context, t Target) ([]k8s.Revision, error) {
	d, err := g.cluster.GetDeployment(ctx, t.Namespace, t.Workload())
	if err != nil {
		return nil, err
	}
	return g.cluster.Revisions(ctx, d)
}

// markReleased marks the current revisions of Deployments as part of a release, whether they run or not. A failure is
// only a warning.
func (g *group) markReleased(ctx context.Context, targets []Target, in metadata.Release) {
	if in.Number == 0 {
		return
	}
	for _, t := range targets {
		revisions, err := g.revisions(ctx, t)
		for _, v := range revisions {
			if v.Current && err == nil {
				err = g.cluster.MarkReleased(ctx, v.Set, in)
			}
		}
		if err != nil {
			pipeline.Warn(g.out, "%s is not marked as part of the release: %v", t.Workload(), err)
		}
	}
}

// numbered returns the release of the current revisions in the histories of an app's Deployments. Its number follows
// from the marks in the cluster, so a run that continues an interrupted one finds the same.
func numbered(processes []string, histories [][]k8s.Revision) metadata.Release {
	last := metadata.Release{Processes: processes}
	var unmarked int64 // the highest number of a revision from before the app had several workloads
	all := slices.Concat(histories...)
	for _, v := range all {
		for _, r := range v.Releases {
			last.Number = max(last.Number, r.Number)
		}
		if len(v.Releases) == 0 && !v.Current {
			unmarked = max(unmarked, v.Number)
		}
	}
	if last.Number == 0 {
		last.Number = unmarked + 1
		return last
	}
	differs := func(v k8s.Revision) bool {
		return slices.ContainsFunc(v.Releases, func(r metadata.Release) bool {
			return r.Number == last.Number && (!v.Current || !slices.Equal(r.Processes, processes))
		})
	}
	if slices.ContainsFunc(all, differs) {
		last.Number++
	}
	return last
}
