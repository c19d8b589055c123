package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// rollout returns the step that sets the version on the app's workload and waits until it runs. migrated is the
// version whose migration this deploy ran, or "".
func (r *run) rollout(s shipment, migrated, secretVersion string) pipeline.Step[pipeline.None] {
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		policy, err := objects.PullPolicy(s.image)
		if err != nil {
			return pipeline.Result{}, err
		}
		subject, err := r.subject(s.tree)
		if err != nil {
			return pipeline.Result{}, err
		}
		release := k8s.Release{
			App: r.spec.App, Image: s.image, PullPolicy: policy, Commit: s.tree.Version(), Cause: s.cause(r.options.User),
			Subject: subject, By: r.options.User, SecretVersion: secretVersion, Migrated: migrated,
		}
		if r.runsAlready(s) || s.sameContent() && migrated == "" { // the history keeps one line for the version
			release.Migrated = s.live.migrated
		}
		if held := r.options.Continues; held != nil {
			release = *held
		}
		if r.spec.Role == infraspec.Function {
			release.Platforms = s.platforms(s.live.pod, r.spec.App)
			return r.register(ctx, release, s.live.image)
		}
		return r.release(ctx, out, released{s, release})
	}
	return pipeline.Step[pipeline.None]{Name: "rollout", Run: pipeline.Act(run), Plan: planned(r.planRollout(s))}
}

// whyUnchanged says why the deploy has replaced no Pods.
func (s shipment) whyUnchanged() string {
	switch {
	case !s.sameContent():
		return "no changes"
	case s.live.commit == "":
		return "the running image has the same content, so no Pods were replaced"
	}
	return fmt.Sprintf("commit %s has the same content, so no Pods were replaced", metadata.ShortCommit(s.live.commit))
}

// released is a shipment, and what it changes in the workloads.
type released struct {
	shipment
	release k8s.Release
}

// release sets the release on the app's Deployments and waits until their Pods run. Then it sets the release on the
// CronJobs. If the current version has failed, release replaces its Pods even if the release is the same. The cause may
// be gone, and the kubelet waits longer after each attempt.
func (r *run) release(ctx context.Context, out io.Writer, s released) (pipeline.Result, error) {
	all := rollout.Release{}
	var crons []*infraspec.Spec
	for i, spec := range r.spec.Workloads() {
		if spec.Role == infraspec.Cron {
			crons, all.Jobs = append(crons, spec), append(all.Jobs, spec.ProcessName())
			continue
		}
		t := r.standing[len(all.Members)]
		if r.options.VersionOnly {
			t.Omitted = s.live.all()[i].differs
		}
		all.Members = append(all.Members, rollout.Member{Target: t, Change: r.change(out, t, s)})
	}
	if len(all.Members) == 0 {
		return r.scheduleAll(ctx, out, crons, s)
	}
	if len(crons) > 0 {
		all.Last = func(ctx context.Context, out io.Writer) error {
			return r.changeCronJobs(ctx, out, crons, s)
		}
	}
	if r.drops {
		live, err := readProcesses(ctx, r.cluster, r.options.Target)
		if err != nil {
			return pipeline.Result{}, err
		}
		live.addUnchanged(r.spec, &all)
	}
	r.canary = r.newCanary(s.shipment)
	all.Canary = r.canary
	result, err := rollout.Run(ctx, r.cluster, out, all)
	if err == nil && result.State == pipeline.Unchanged {
		result.Detail += "; " + s.whyUnchanged() + " (--force replaces the Pods)"
	}
	return result, err
}

// change returns the change of a Deployment to the release.
func (r *run) change(out io.Writer, t rollout.Target, s released) rollout.Change {
	return func(ctx context.Context) (*appsv1.Deployment, error) {
		before, err := r.cluster.GetDeployment(ctx, t.Namespace, t.Workload())
		if err != nil {
			return nil, err
		}
		if metadata.CanaryOf(before) != nil { // the deploy continues it, and its release is complete
			return rollout.ContinueCanary(ctx, r.cluster, before)
		}
		release := s.release
		release.Platforms = s.platformsOf(out, before, before.Spec.Template.Spec)
		if r.options.Canary.Pods != "" {
			if release.Canary, err = r.canaryOf(ctx, out, before, t.RanBefore, release); err != nil {
				return nil, err
			}
		}
		after, err := r.cluster.SetImage(ctx, t.Namespace, t.Workload(), release)
		if err == nil {
			after, err = r.cluster.ScaleBack(ctx, after)
		}
		again := r.options.Force || s.live.hasFailed()
		if err == nil && again && reflect.DeepEqual(before.Spec.Template, after.Spec.Template) {
			return r.cluster.RestartDeployment(ctx, t.Namespace, t.Workload(), time.Now())
		}
		return after, err
	}
}

// changeCronJobs applies the infraspec to the CronJobs beside Deployments, and sets the release on them. If one cannot
// be changed, changeCronJobs puts back the others, and suspends new ones.
func (r *run) changeCronJobs(ctx context.Context, out io.Writer, crons []*infraspec.Spec, s released) error {
	var before []batchv1.CronJob
	var added []string
	for _, spec := range crons {
		c, err := r.cluster.GetCronJob(ctx, r.options.Namespace, spec.Workload())
		if err != nil && !k8s.IsNotFound(err) {
			return err
		}
		if err == nil {
			before = append(before, *c)
		} else {
			added = append(added, spec.Workload())
		}
	}
	for _, step := range r.deferred {
		if _, _, err := step.Run(ctx, out); err != nil { // a new one is still suspended
			return putBackCronJobs(ctx, r.cluster, before, err)
		}
	}
	_, err := r.scheduleAll(ctx, out, crons, s)
	if err != nil {
		err = r.suspend(ctx, added, err)
	}
	return putBackCronJobs(ctx, r.cluster, before, err)
}

// suspend suspends CronJobs that are new in a release that fails with err, and returns err.
func (r *run) suspend(ctx context.Context, names []string, err error) error {
	ctx, cancel := lease.CleanupContext(ctx, undoTimeout) // after an interrupt too
	defer cancel()
	for _, name := range names {
		if failed := r.cluster.SuspendCronJob(ctx, r.options.Namespace, name); !k8s.IsNotFound(failed) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// putBackCronJobs sets CronJobs to what they were before err, and returns err. It returns nil without an error.
func putBackCronJobs(ctx context.Context, cluster *k8s.Client, before []batchv1.CronJob, err error) error {
	if err == nil {
		return nil
	}
	ctx, cancel := lease.CleanupContext(ctx, undoTimeout) // after an interrupt too
	defer cancel()
	for i := range before {
		err = errors.Join(err, cluster.RestoreCronJob(ctx, &before[i]))
	}
	return err
}

// scheduleAll sets the release on CronJobs.
func (r *run) scheduleAll(
	ctx context.Context, out io.Writer, crons []*infraspec.Spec, s released,
) (pipeline.Result, error) {
	all := pipeline.Result{State: pipeline.Unchanged}
	var details []string
	for _, spec := range crons {
		result, err := r.schedule(ctx, out, spec, s)
		if err != nil {
			return pipeline.Result{}, err
		}
		if result.State != pipeline.Unchanged {
			all.State = result.State
		}
		detail := result.Detail
		if len(r.spec.Processes) > 0 {
			detail = spec.ProcessName() + " " + detail
			_, _ = fmt.Fprintln(out, detail)
		}
		details = append(details, detail)
	}
	all.Detail = strings.Join(details, "; ")
	return all, nil
}

// planRollout describes what the rollout would change. It names new processes, and processes that end.
func (r *run) planRollout(s shipment) string {
	from, ends := cmp.Or(s.live.image, "nothing"), ""
	for _, name := range s.live.dropped {
		ends += fmt.Sprintf("; process %s ends, because the infraspec no longer has it", name)
	}
	switch {
	case r.runsAlready(s):
		return s.image + " is already running" + ends
	case s.sameContent() && !r.options.Force:
		if len(r.spec.Secrets) > 0 {
			ends = "; its Pods stay unless the secrets have changed" + ends
		}
		return fmt.Sprintf("%s is already running; %s has the same content%s", s.image,
			metadata.VersionName(s.live.commit, s.live.image), ends)
	case r.spec.Role == infraspec.Cron && len(r.spec.Processes) == 0:
		return fmt.Sprintf("the next run uses %s, the last used %s%s", s.image, from, ends)
	case r.spec.Role == infraspec.Function:
		return fmt.Sprintf("the next call uses %s, the last used %s%s", s.image, from, ends)
	}
	var parts []string
	live := s.live.all()
	for i, spec := range r.spec.Workloads() {
		part := planProcess(spec, len(r.spec.Processes) > 0)
		if s.live.kind != "" && live[i].kind == "" {
			part = "new " + part
		}
		parts = append(parts, part)
	}
	ends = r.options.Canary.plan() + ends
	return fmt.Sprintf("%s of %s instead of %s%s", strings.Join(parts, ", "), s.image, from, ends)
}

// dropped returns the names of the processes in the cluster that the infraspec no longer has, sorted. --version-only
// leaves them.
func (r *run) dropped(ctx context.Context) ([]string, error) {
	if r.options.VersionOnly {
		return nil, nil
	}
	live, err := r.cluster.ProcessWorkloads(ctx, r.options.Namespace, r.spec.App)
	if err != nil {
		return nil, err
	}
	var names []string
	add := func(o metadata.Object) {
		if name := o.GetLabels()[metadata.ProcessLabel]; r.spec.ProcessSpec(name) == nil && o.GetDeletionTimestamp() == nil {
			names = append(names, name)
		}
	}
	for i := range live.Deployments {
		add(&live.Deployments[i])
	}
	for i := range live.CronJobs {
		add(&live.CronJobs[i])
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// planProcess returns what runs a new version of a process. It names the process if the app has several.
func planProcess(spec *infraspec.Spec, named bool) string {
	what := fmt.Sprintf("%d Pods", spec.Replicas)
	switch {
	case spec.Role == infraspec.Cron:
		what = "the next run"
	case spec.Replicas == 1:
		what = "1 Pod"
	}
	if named {
		what = spec.ProcessName() + ": " + what
	}
	return what
}

// cause returns the line that kubectl rollout history shows for this revision. It contains no time, because deploying
// a running version again must change nothing. The ReplicaSet records the time anyway.
func (s shipment) cause(user string) string {
	return fmt.Sprintf("norn deploy %s by %s", s.version(), user)
}

// version returns the commit's tag, or the image if it was not built from a commit.
func (s shipment) version() string { return cmp.Or(s.tree.TagOrEmpty(), s.image) }
