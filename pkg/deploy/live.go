package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// liveApp is the state of an app in the cluster before a deploy: its main process, and the others in the order of the
// infraspec's workloads.
type liveApp struct {
	liveWorkload
	processes []liveWorkload
	dropped   []string // the processes that the infraspec no longer has, for a dry run
}

// all returns the workloads of all processes, the main one first.
func (l liveApp) all() []liveWorkload { return append([]liveWorkload{l.liveWorkload}, l.processes...) }

// hasFailed reports whether the image of a process is known to have failed.
func (l liveApp) hasFailed() bool {
	return slices.ContainsFunc(l.all(), func(w liveWorkload) bool { return w.failed })
}

// runs reports whether an image is known to run in all processes.
func (l liveApp) runs(image string) bool {
	return !slices.ContainsFunc(l.all(), func(w liveWorkload) bool { return !w.verified || w.image != image })
}

// liveWorkload is the state of a process's workload.
type liveWorkload struct {
	kind       string                  // of its workload
	template   *corev1.PodTemplateSpec // of its workload, or nil
	pod        corev1.PodSpec          // its Pod template
	image      string                  // what its Pods run, or "" before the first deploy
	migrated   string                  // the version whose migration ran last, according to the history
	verified   bool                    // the image is known to run
	failed     bool                    // the image is known to have failed
	commit     string                  // what the image was built from, or ""
	shipped    bool                    // norn has shipped the image, if the workload has no revisions
	deployment *appsv1.Deployment      // the Deployment, or nil
	differs    []string                // fields in which the Deployment differs from the infraspec
	reshaped   bool                    // its Pod template may differ from the infraspec's
}

// readLive reads the app from the cluster. Its workloads must exist and be norn's own, unless forge will create them.
func (r *run) readLive(ctx context.Context) (live liveApp, err error) {
	for _, spec := range r.spec.Workloads() {
		now, err := r.readWorkload(ctx, spec)
		if err != nil {
			return liveApp{}, err
		}
		if spec == r.spec {
			live.liveWorkload = now
		} else {
			live.processes = append(live.processes, now)
		}
	}
	return live, nil
}

func (r *run) readWorkload(ctx context.Context, spec *infraspec.Spec) (now liveWorkload, err error) {
	switch spec.Role {
	case infraspec.Cron:
		now, err = r.currentCronJob(ctx, spec)
	case infraspec.Function:
		return r.currentFunction(ctx)
	case infraspec.Webserver, infraspec.Worker:
		now, err = r.currentDeployment(ctx, spec)
	}
	if _, absent := errors.AsType[*pipeline.UsageError](err); absent && !r.options.VersionOnly {
		return liveWorkload{}, nil
	}
	return now, err
}

// target returns the target of a process.
func (r *run) target(spec *infraspec.Spec) rollout.Target {
	t := r.options.Target
	t.Process, t.Spec, t.Environment = spec.Process, spec, spec.Environment
	return t
}

func (r *run) currentDeployment(ctx context.Context, spec *infraspec.Spec) (liveWorkload, error) {
	d, err := forged(ctx, r.cluster, r.target(spec))
	if err == nil {
		err = r.checkOwner(objects.KindDeployment, d)
	}
	if err == nil && r.options.Continues == nil {
		err = objects.CheckHeld(d)
	}
	if err != nil {
		return liveWorkload{}, err
	}
	now := liveWorkload{
		kind:       objects.KindDeployment,
		template:   &d.Spec.Template,
		pod:        d.Spec.Template.Spec,
		deployment: d,
		migrated:   d.Annotations[metadata.MigratedAnnotation],
	}
	unheld := metadata.Unheld(*d)
	now.differs, now.reshaped = differences(&unheld, spec, r.options.Settings)
	revisions, err := r.cluster.Revisions(ctx, d)
	if err != nil {
		return liveWorkload{}, err
	}
	canary := metadata.CanaryOf(d)
	for _, v := range revisions {
		if canary == nil && v.Current && !d.Spec.Paused || canary != nil && v.Set.UID == canary.RanBefore {
			now.image, now.verified, now.failed, now.commit = v.Image, v.Verified, v.Failed != "", v.Commit
		}
	}
	return now, nil
}

// unchanged returns the Deployments of the standing workloads as they are now, or nil for one that does not exist. It
// returns a *rollout.ChangedError if somebody else has changed a version since before was read: a build takes long
// enough for that.
func (r *run) unchanged(ctx context.Context, before liveApp) ([]*appsv1.Deployment, error) {
	var all []*appsv1.Deployment
	live := before.all()
	for i, spec := range r.spec.Workloads() {
		if !spec.Role.Standing() {
			continue
		}
		now, err := r.unchangedWorkload(ctx, spec, live[i])
		if err != nil {
			return nil, err
		}
		all = append(all, now)
	}
	return all, nil
}

func (r *run) unchangedWorkload(
	ctx context.Context, spec *infraspec.Spec, before liveWorkload,
) (*appsv1.Deployment, error) {
	now, err := r.cluster.GetDeployment(ctx, r.options.Namespace, spec.Workload())
	if k8s.IsNotFound(err) {
		return nil, nil //nolint:nilnil // forge creates it
	}
	if err != nil || before.deployment == nil {
		return now, err
	}
	return now, rollout.CheckUnchanged(before.deployment, now)
}

// checkOwner returns an error if norn does not manage the app's workload, or if the app is another repository's.
func (r *run) checkOwner(kind string, live metadata.Object) error {
	return objects.CheckWorkload(kind, live, objects.Owner{
		App: r.spec.App, Repository: r.repo, Environment: r.spec.Environment,
	})
}

// differences returns the fields in which a Deployment differs from the infraspec, and whether its Pod template does.
// It returns none, and true, if they cannot be compared.
func differences(d *appsv1.Deployment, spec *infraspec.Spec, s objects.Settings) (fields []string, template bool) {
	conf, _, err := objects.DeploymentFor(d, spec, s)
	if err != nil {
		return nil, true
	}
	if fields, err = drift.Fields(conf, d); err != nil {
		return nil, true
	}
	for i, field := range fields {
		template = template || strings.HasPrefix(field, "spec.template") || !strings.Contains(field, ".")
		fields[i] = drift.ShortField(field)
	}
	return fields, template
}

func (r *run) currentCronJob(ctx context.Context, spec *infraspec.Spec) (liveWorkload, error) {
	c, err := r.cronJob(ctx, spec)
	if err != nil {
		return liveWorkload{}, err
	}
	template := &c.Spec.JobTemplate.Spec.Template
	now := liveWorkload{
		kind: objects.KindCronJob, template: template, pod: template.Spec,
		migrated: c.Annotations[metadata.MigratedAnnotation],
	}
	if c.Spec.Suspend == nil || !*c.Spec.Suspend {
		now.image, now.verified = metadata.ImageOf(now.pod, r.spec.App), true
		now.commit = metadata.Shipped(c.Annotations, now.image)[metadata.CommitAnnotation]
		now.shipped = c.Annotations[metadata.ImageAnnotation] == now.image
	}
	return now, nil
}

// runsAlready reports whether the version to ship is already running. If so, the deploy runs no migration.
func (r *run) runsAlready(s shipment) bool {
	return s.live.runs(s.image) && !s.sameContent() && !r.options.Force
}

// sameContent reports whether the image to ship is already running for another commit. The migration of the commit may
// be another one.
func (s shipment) sameContent() bool {
	commit := s.tree.TagOrEmpty()
	own := s.live.commit == "" && strings.Contains(s.image, ":"+commit) // an older norn did not record the commit
	return commit != "" && !own && commit != metadata.ShortCommit(s.live.commit) && s.live.runs(s.image)
}

// forged returns the Deployment of a process, which must exist and be norn's own.
func forged(ctx context.Context, cluster Reader, t rollout.Target) (*appsv1.Deployment, error) {
	d, err := cluster.GetDeployment(ctx, t.Namespace, t.Workload())
	if k8s.IsNotFound(err) {
		if _, err := cluster.GetCronJob(ctx, t.Namespace, t.Workload()); err == nil {
			return nil, &pipeline.UsageError{
				Problem: t.Workload() + " is a cron app: it has no rollouts and no history",
				Advice:  "norn status shows what it runs; norn deploy changes the version of its next run",
			}
		}
		return nil, notForged("Deployment", t)
	}
	if err == nil {
		err = objects.CheckWorkloadByName(objects.KindDeployment, d, t.Owner())
	}
	if err == nil && d.DeletionTimestamp != nil {
		return nil, &pipeline.UsageError{
			Problem: fmt.Sprintf("Deployment %s in namespace %s is being deleted", t.Workload(), t.Namespace),
			Advice:  "norn status shows the app's state",
		}
	}
	return d, err
}

func notForged(kind string, t rollout.Target) error {
	return &pipeline.UsageError{
		Problem: fmt.Sprintf("there is no %s %s in namespace %s", kind, t.Workload(), t.Namespace),
		Advice:  "check the name and --namespace, or create and deploy the app with norn deploy",
	}
}
