package deploy

import (
	"context"
	"errors"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// processes are the processes of an app in the cluster.
type processes struct {
	standing []standing // the main one first
	crons    []batchv1.CronJob
}

// standing is a process with a Deployment.
type standing struct {
	rollout.Target
	live *appsv1.Deployment
}

// Reader reads the workloads of an app and their histories.
type Reader interface {
	GetDeployment(ctx context.Context, ns, name string) (*appsv1.Deployment, error)
	GetCronJob(ctx context.Context, ns, name string) (*batchv1.CronJob, error)
	ProcessWorkloads(ctx context.Context, ns, app string) (*k8s.Inventory, error)
	Revisions(ctx context.Context, d *appsv1.Deployment) ([]k8s.Revision, error)
}

// readProcesses reads the processes of t's app, and omits workloads that are being deleted. At least one process must
// have a Deployment, and norn must manage it.
func readProcesses(ctx context.Context, cluster Reader, t rollout.Target) (processes, error) {
	var all processes
	main, mainErr := forged(ctx, cluster, t)
	if _, absent := errors.AsType[*pipeline.UsageError](mainErr); mainErr != nil && !absent {
		return all, mainErr
	}
	if mainErr == nil {
		all.standing = []standing{{t, main}}
	}
	others, err := cluster.ProcessWorkloads(ctx, t.Namespace, t.App)
	if err != nil {
		return all, err
	}
	for i := range others.Deployments {
		d := &others.Deployments[i]
		if d.DeletionTimestamp != nil { // its Pods may take as long as their grace period
			continue
		}
		one := t
		one.Process = d.Labels[metadata.ProcessLabel]
		all.standing = append(all.standing, standing{one, d})
	}
	all.crons = slices.DeleteFunc(others.CronJobs, func(c batchv1.CronJob) bool { return c.DeletionTimestamp != nil })
	if len(all.standing) == 0 {
		return all, mainErr
	}
	if mainErr != nil {
		err = all.readMainCronJob(ctx, cluster, t)
	}
	return all, err
}

// readMainCronJob reads the CronJob of the main process, if there is one and the user can read it.
func (p *processes) readMainCronJob(ctx context.Context, cluster Reader, t rollout.Target) error {
	c, err := cluster.GetCronJob(ctx, t.Namespace, t.App)
	if err == nil && metadata.IsOwned(c, t.App) && c.DeletionTimestamp == nil {
		p.crons = append([]batchv1.CronJob{*c}, p.crons...)
	} else if err != nil && !unreadable(err) {
		return err
	}
	return nil
}

// names returns the names of the processes that run.
func (p processes) names() []string {
	var names []string
	for _, s := range p.standing {
		if !k8s.IsAway(s.live) {
			names = append(names, s.ProcessName())
		}
	}
	names = append(names, p.jobs()...)
	slices.Sort(names)
	return names
}

// jobs returns the names of the processes with a schedule that is not suspended.
func (p processes) jobs() []string {
	var names []string
	for i := range p.crons {
		if c := &p.crons[i]; c.Spec.Suspend == nil || !*c.Spec.Suspend {
			names = append(names, processOf(c))
		}
	}
	return names
}

// processOf returns the name of the process that a workload belongs to.
func processOf(o metadata.Object) string {
	return rollout.Target{Process: o.GetLabels()[metadata.ProcessLabel]}.ProcessName()
}

// releases returns the history of the app, newest first, and whether the app has or had several processes. If not, its
// releases are the revisions of its Deployment.
func (p processes) releases(ctx context.Context, cluster Reader) (all []release, several bool, err error) {
	histories := make(map[string][]k8s.Revision, len(p.standing))
	for _, s := range p.standing {
		revisions, err := cluster.Revisions(ctx, s.live)
		if err != nil {
			return nil, false, err
		}
		histories[s.ProcessName()] = revisions
	}
	if len(p.standing)+len(p.crons) > 1 || Numbered(histories) {
		return grouped(histories, p.names()), true, nil
	}
	s := p.standing[0]
	return releasesOf(s.ProcessName(), histories[s.ProcessName()]), false, nil
}

// addUnchanged adds to a release what it leaves as it is: the processes of spec that it does not change, and the
// processes that spec no longer has.
func (p processes) addUnchanged(spec *infraspec.Spec, all *rollout.Release) {
	standing, scheduled := map[string]bool{}, map[string]bool{}
	for _, w := range spec.Workloads() {
		standing[w.ProcessName()], scheduled[w.ProcessName()] = w.Role.Standing(), w.Role == infraspec.Cron
	}
	for _, s := range p.standing {
		changes := slices.ContainsFunc(all.Members, func(m rollout.Member) bool { return m.Process == s.Process })
		switch {
		case changes || k8s.IsAway(s.live) || scheduled[s.ProcessName()]: // with another role, forge replaces it
		case standing[s.ProcessName()]:
			all.Others = append(all.Others, s.Target)
		default:
			all.Dropped = append(all.Dropped, s.Target)
		}
	}
	for _, name := range p.jobs() {
		switch {
		case standing[name]:
		case !scheduled[name]:
			all.DroppedJobs = append(all.DroppedJobs, name)
		case !slices.Contains(all.Jobs, name):
			all.Jobs = append(all.Jobs, name)
		}
	}
}

// unwatched returns the Deployments of spec's processes whose current revision norn has made and not watched to its
// end, for example because an earlier run was killed.
func (p processes) unwatched(
	ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec,
) ([]rollout.Member, error) {
	var found []rollout.Member
	for _, w := range spec.Workloads() {
		i := slices.IndexFunc(p.standing, func(s standing) bool { return s.Process == w.Process })
		if i < 0 {
			continue
		}
		s := p.standing[i]
		if s.live.Spec.Paused || k8s.IsAway(s.live) || metadata.IsTemplateOfOthers(s.live) {
			continue
		}
		revisions, err := cluster.Revisions(ctx, s.live)
		if err != nil {
			return nil, err
		}
		s.Spec = w
		for _, v := range revisions {
			if v.Current && !v.Verified && v.Failed == "" && !v.Idle {
				found = append(found, rollout.Member{Target: s.Target, Made: &rollout.Replacement{Before: s.live, After: s.live}})
			}
		}
	}
	return found, nil
}
