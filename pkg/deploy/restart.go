package deploy

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// Restart replaces an app's Pods one by one, and waits until the new ones run. If process is not "", it replaces only
// those of that process.
func Restart(
	ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, t rollout.Target, process string,
) error {
	t.KeepFailed = "a restart does not change the version"
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		all, err := readProcesses(ctx, cluster, t)
		if err != nil {
			return pipeline.Result{}, err
		}
		release, err := all.restart(cluster, process)
		if err != nil {
			return pipeline.Result{}, err
		}
		return rollout.Run(ctx, cluster, out, release)
	}
	step := pipeline.Step[pipeline.None]{Name: "rollout", Run: pipeline.Act(run)}
	return t.WithLock(ctx, cluster, to, func(ctx context.Context) error {
		if err := checkClaims(ctx, cluster, t); err != nil {
			return err
		}
		_, err := pipeline.RunStep(ctx, pipeline.Runner{To: to}, step)
		return err
	})
}

// restart returns the change that restarts the processes, or one of them.
func (p processes) restart(cluster *k8s.Client, process string) (rollout.Release, error) {
	all := rollout.Release{Jobs: p.jobs()}
	for _, s := range p.standing {
		switch chosen := process == "" || process == s.ProcessName(); {
		case k8s.IsAway(s.live):
		case !chosen:
			all.Others = append(all.Others, s.Target)
		case metadata.CanaryOf(s.live) != nil:
			return all, objects.CheckHeld(s.live)
		case s.live.Spec.Paused:
			return all, paused(s.live)
		default:
			change := func(ctx context.Context) (*appsv1.Deployment, error) {
				return cluster.RestartDeployment(ctx, s.Namespace, s.Workload(), time.Now())
			}
			all.Members = append(all.Members, rollout.Member{Target: s.Target, Change: change})
		}
	}
	if len(all.Members) == 0 {
		return all, p.cannotRestart(process)
	}
	return all, nil
}

// cannotRestart returns the error for a restart of a process without Pods, or of all if none has Pods.
func (p processes) cannotRestart(process string) error {
	app := p.standing[0].App
	var names []string // of the processes that can be restarted
	for _, s := range p.standing {
		if !k8s.IsAway(s.live) {
			names = append(names, s.ProcessName())
		}
	}
	e := &pipeline.UsageError{
		Problem: fmt.Sprintf("%s has no process %q", app, process),
		Advice:  "choose one of " + strings.Join(names, ", "),
	}
	if len(names) == 0 {
		e.Advice = "start the processes with norn deploy " + app
	}
	switch {
	case process == "":
		e.Problem = fmt.Sprintf("all processes of %s are scaled to 0", app)
	case slices.ContainsFunc(p.crons, func(c batchv1.CronJob) bool { return processOf(&c) == process }):
		e.Problem = fmt.Sprintf("process %s of %s is a cron process, and has no Pods to replace", process, app)
	case slices.ContainsFunc(p.standing, func(s standing) bool { return s.ProcessName() == process }):
		e.Problem = fmt.Sprintf("process %s of %s is scaled to 0", process, app)
	}
	return e
}

// paused returns the error for a restart of a paused Deployment, whose Pods Kubernetes does not replace. norn pauses a
// Deployment only until its first deploy.
func paused(d *appsv1.Deployment) error {
	if d.Status.Replicas == 0 {
		return &pipeline.UsageError{
			Problem: d.Name + " has not been deployed yet: there is nothing to restart",
			Advice:  "deploy it with norn deploy",
		}
	}
	return &pipeline.UsageError{
		Problem: d.Name + " is paused, so its Pods cannot be replaced",
		Advice:  "resume it with kubectl rollout resume deployment/" + d.Name + ", or with norn deploy",
	}
}
