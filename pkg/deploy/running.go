package deploy

import (
	"context"
	"errors"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// running is what the cluster has of an app before a deploy.
type running struct {
	pod      corev1.PodSpec // what its pods are made of
	image    string         // what they run, or "" before the first deploy
	migrated string         // the version whose migration has run last, as history has it
	good     bool           // that version is known to run
	failed   bool           // it is known to have failed
	differs  []string       // where the Deployment is not as the infraspec says
}

// current looks at what there is; the workload must be there and norn's own, unless forge is still to make it.
func (r *run) current(ctx context.Context) (running, error) {
	var now running
	var err error
	switch r.spec.Role {
	case infraspec.Cron:
		now, err = r.currentCronJob(ctx)
	case infraspec.Function:
		return r.currentFunction(ctx)
	case infraspec.Webserver, infraspec.Worker:
		now, err = r.currentDeployment(ctx)
	}
	if _, absent := errors.AsType[*pipeline.UsageError](err); absent && r.options.Forge {
		return running{}, nil
	}
	return now, err
}

func (r *run) currentDeployment(ctx context.Context) (running, error) {
	d, err := forged(ctx, r.cluster, r.options.Target)
	if err != nil {
		return running{}, err
	}
	now := running{pod: d.Spec.Template.Spec, migrated: d.Annotations[metadata.MigratedAnnotation], differs: differences(d, r.spec, r.options.Settings)}
	if d.Spec.Paused {
		return now, nil
	}
	revisions, err := r.cluster.Revisions(ctx, d)
	for _, v := range revisions {
		if v.Current {
			now.image, now.good, now.failed = v.Image, v.Verified, v.Failed != ""
		}
	}
	return now, err
}

// differences are the fields of a Deployment that are not as the infraspec says; what cannot be compared has none.
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

func (r *run) currentCronJob(ctx context.Context) (running, error) {
	c, err := r.cronJob(ctx)
	if err != nil {
		return running{}, err
	}
	now := running{pod: c.Spec.JobTemplate.Spec.Template.Spec, migrated: c.Annotations[metadata.MigratedAnnotation]}
	if c.Spec.Suspend == nil || !*c.Spec.Suspend {
		now.image, now.good = k8s.ImageOf(now.pod, r.spec.App), true
	}
	return now, nil
}

// runsAlready notes whether the image that this run ships is the one that is known to run: then there is nothing to migrate.
func (r *run) runsAlready() bool {
	return r.before.good && r.before.image == r.image && !r.options.Force
}
