package deploy

import (
	"context"
	"errors"
	"fmt"

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

// liveApp is the state of an app in the cluster before a deploy.
type liveApp struct {
	pod      corev1.PodSpec   // its Pod template
	needed   []corev1.PodSpec // the Pod templates that run or that a failed rollout restores
	image    string           // what its Pods run, or "" before the first deploy
	migrated string           // the version whose migration ran last, according to the history
	verified bool             // the image is known to run
	failed   bool             // the image is known to have failed
	differs  []string         // fields in which the Deployment differs from the infraspec
}

// readLive reads the app from the cluster. Its workload must exist and be norn's own, unless forge will create it.
func (r *run) readLive(ctx context.Context) (liveApp, error) {
	var now liveApp
	var err error
	switch r.spec.Role {
	case infraspec.Cron:
		now, err = r.currentCronJob(ctx)
	case infraspec.Function:
		return r.currentFunction(ctx)
	case infraspec.Webserver, infraspec.Worker:
		now, err = r.currentDeployment(ctx)
	}
	if _, absent := errors.AsType[*pipeline.UsageError](err); absent && !r.options.VersionOnly {
		return liveApp{}, nil
	}
	return now, err
}

func (r *run) currentDeployment(ctx context.Context) (liveApp, error) {
	d, err := forged(ctx, r.cluster, r.options.Target)
	if err != nil {
		return liveApp{}, err
	}
	now := liveApp{
		pod:      d.Spec.Template.Spec,
		migrated: d.Annotations[metadata.MigratedAnnotation],
		differs:  differences(d, r.spec, r.options.Settings),
	}
	revisions, err := r.cluster.Revisions(ctx, d)
	if err != nil {
		return liveApp{}, err
	}
	now.needed = neededTemplates(revisions)
	for _, v := range revisions {
		if v.Current && !d.Spec.Paused {
			now.image, now.verified, now.failed = v.Image, v.Verified, v.Failed != ""
		}
	}
	return now, nil
}

// neededTemplates returns the templates of the Pods that run, and of the revision that a failed rollout restores. After
// an interrupted or failed deploy, they are not the Deployment's own.
func neededTemplates(revisions []k8s.Revision) []corev1.PodSpec {
	last, _ := rollout.LastVerified(revisions)
	var out []corev1.PodSpec
	for _, v := range revisions {
		if v.Set == last.Set || v.Set.Status.Replicas > 0 {
			out = append(out, v.Set.Spec.Template.Spec)
		}
	}
	return out
}

// differences returns the fields in which a Deployment differs from the infraspec. It returns none if they cannot be
// compared.
func differences(d *appsv1.Deployment, spec *infraspec.Spec, s objects.Settings) []string {
	conf, _, err := objects.DeploymentFor(d, spec, s)
	if err != nil {
		return nil
	}
	fields, err := drift.Fields(conf, d)
	if err != nil {
		return nil
	}
	for i := range fields {
		fields[i] = drift.ShortField(fields[i])
	}
	return fields
}

func (r *run) currentCronJob(ctx context.Context) (liveApp, error) {
	c, err := r.cronJob(ctx)
	if err != nil {
		return liveApp{}, err
	}
	now := liveApp{pod: c.Spec.JobTemplate.Spec.Template.Spec, migrated: c.Annotations[metadata.MigratedAnnotation]}
	if c.Spec.Suspend == nil || !*c.Spec.Suspend {
		now.image, now.verified = metadata.ImageOf(now.pod, r.spec.App), true
	}
	return now, nil
}

// runsAlready reports whether the image to ship is already running. If so, the deploy runs no migration.
func (r *run) runsAlready(s shipment) bool {
	return s.live.verified && s.live.image == s.image && !r.options.Force
}

// forged returns the app's Deployment, which must exist and be norn's own.
func forged(ctx context.Context, cluster *k8s.Client, t rollout.Target) (*appsv1.Deployment, error) {
	d, err := cluster.GetDeployment(ctx, t.Namespace, t.App)
	if k8s.IsNotFound(err) {
		if _, err := cluster.GetCronJob(ctx, t.Namespace, t.App); err == nil {
			return nil, &pipeline.UsageError{
				Problem: t.App + " is a cron app: it has no rollouts and no history",
				Advice:  "norn status shows what it runs; norn deploy changes the version of its next run",
			}
		}
		return nil, notForged("Deployment", t)
	}
	if err == nil {
		err = objects.CheckOwner("Deployment", d, t.App)
	}
	if err == nil && d.DeletionTimestamp != nil {
		return nil, &pipeline.UsageError{
			Problem: fmt.Sprintf("Deployment %s in namespace %s is being deleted", t.App, t.Namespace),
			Advice:  "norn status shows the app's state",
		}
	}
	return d, err
}

func notForged(kind string, t rollout.Target) error {
	return &pipeline.UsageError{
		Problem: fmt.Sprintf("there is no %s %s in namespace %s", kind, t.App, t.Namespace),
		Advice:  "check the name and --namespace, or create and deploy the app with norn deploy",
	}
}
