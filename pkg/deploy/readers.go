package deploy

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// readers are the Pod templates that need the app's Secret: those of Pods that run, of the revision that a failed
// rollout restores, and of a cron app's next run. After an interrupted or failed deploy, none of them may be the
// workload's own, and the workload may be of another role than the infraspec's.
type readers struct {
	templates []corev1.PodSpec
	verified  []corev1.PodTemplateSpec // of the revisions that a failed rollout restores
}

// readers reads the templates from the cluster. It omits workloads that the user cannot read, and those of others.
func (r *run) readers(ctx context.Context) (readers, error) {
	var all readers
	for _, spec := range r.spec.Workloads() {
		one, err := r.readersOf(ctx, spec)
		if err != nil {
			return readers{}, err
		}
		all.templates = append(all.templates, one.templates...)
		all.verified = append(all.verified, one.verified...)
	}
	return all, nil
}

// readersOf reads the templates of a process.
func (r *run) readersOf(ctx context.Context, spec *infraspec.Spec) (readers, error) {
	var out readers
	switch d, err := r.cluster.GetDeployment(ctx, r.options.Namespace, spec.Workload()); {
	case err == nil && metadata.IsOwned(d, r.spec.App):
		revisions, err := r.cluster.Revisions(ctx, d)
		if err != nil {
			return readers{}, err
		}
		out = readersOf(revisions)
		out.templates = append(out.templates, d.Spec.Template.Spec)
	case err != nil && !unreadable(err):
		return readers{}, err
	}
	switch c, err := r.cluster.GetCronJob(ctx, r.options.Namespace, spec.Workload()); {
	case err == nil && metadata.IsOwned(c, r.spec.App):
		out.templates = append(out.templates, c.Spec.JobTemplate.Spec.Template.Spec)
	case err != nil && !unreadable(err):
		return readers{}, err
	}
	return out, nil
}

// readersOf returns the readers among a Deployment's revisions.
func readersOf(revisions []k8s.Revision) readers {
	var out readers
	last, found := rollout.RevisionToRestore(revisions)
	if found {
		out.verified = []corev1.PodTemplateSpec{last.Set.Spec.Template}
	}
	for _, v := range revisions {
		if found && v.Set == last.Set || v.Set.Status.Replicas > 0 {
			out.templates = append(out.templates, v.Set.Spec.Template.Spec)
		}
	}
	return out
}

// unreadable reports whether err says that an object does not exist or that the user cannot read it.
func unreadable(err error) bool {
	_, denied := errors.AsType[*k8s.DeniedError](err)
	return denied || k8s.IsNotFound(err)
}
