package rollout

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// ChangedError reports that somebody else has changed a Deployment's Pod template during a run, or paused it. norn
// leaves their version as it is, and neither marks nor restores one.
type ChangedError struct {
	App        string
	Deployment string
	By         string    // the field manager, such as kubectl-set, or "" if unknown
	At         time.Time // by the API server's clock
	Image      string    // the app's image now, if it is another one

	Paused bool // they paused the Deployment and kept its template
}

// Error says who changed the template, and when.
func (e *ChangedError) Error() string {
	change := "changed the Pod template of"
	if e.Paused {
		change = "paused"
	}
	text := fmt.Sprintf("%s %s Deployment %s", cmp.Or(e.By, "somebody else"), change, e.Deployment)
	if !e.At.IsZero() {
		text += " at " + e.At.UTC().Format(time.RFC3339)
	}
	if e.Image != "" {
		text += " to image " + e.Image
	}
	return text + ", during this run; norn left it as it is"
}

// Hint returns how to see the version that runs now, and how to replace it.
func (e *ChangedError) Hint() string {
	next := "to replace the version, run the command again"
	if e.Paused {
		next = "to continue, run kubectl rollout resume deployment/" + e.Deployment
	}
	return fmt.Sprintf("see norn status %s and norn history %[1]s; %s", e.App, next)
}

// CheckUnchanged returns a *ChangedError if the version of now differs from that of ours, which norn has written or
// read, or if only now is paused. Annotations do not count: controllers restart Pods by them.
func CheckUnchanged(ours, now *appsv1.Deployment) error {
	if k8s.SamePods(ours.Spec.Template, now.Spec.Template) {
		if !now.Spec.Paused || ours.Spec.Paused {
			return nil
		}
		e := &ChangedError{App: metadata.AppOf(now), Deployment: now.Name, Paused: true}
		e.By, e.At = metadata.PauseWriter(ours, now)
		return e
	}
	app := metadata.AppOf(now)
	e := &ChangedError{App: app, Deployment: now.Name}
	e.By, e.At = metadata.TemplateWriter(ours, now)
	image := metadata.ImageOf(now.Spec.Template.Spec, app)
	if image != metadata.ImageOf(ours.Spec.Template.Spec, app) {
		e.Image = image
	}
	return e
}

// RestoreRevision puts back what the Pods of a revision need, and restores their template. It returns a *ChangedError,
// and leaves both, if the Deployment no longer has the version that live has.
func (t Target) RestoreRevision(
	ctx context.Context, cluster *k8s.Client, out io.Writer, live *appsv1.Deployment, to *appsv1.ReplicaSet,
) (*appsv1.Deployment, error) {
	now, err := cluster.GetDeployment(ctx, t.Namespace, t.Workload())
	if err != nil {
		return nil, err
	}
	if err := CheckUnchanged(live, now); err != nil {
		return nil, err
	}
	if t.PutBack != nil {
		if err := t.PutBack(ctx, out, to); err != nil {
			return nil, err
		}
	}
	return restoreTemplate(ctx, cluster, now, to)
}

// restoreTemplate restores the Pod template of a revision. It returns a *ChangedError if the Deployment no longer has
// the version that live has.
func restoreTemplate(
	ctx context.Context, cluster *k8s.Client, live *appsv1.Deployment, to *appsv1.ReplicaSet,
) (*appsv1.Deployment, error) {
	return cluster.OnCurrent(ctx, live, func(now *appsv1.Deployment) (*appsv1.Deployment, error) {
		if !k8s.SameVersion(now.Spec.Template, to.Spec.Template) { // else the answer to an earlier request was lost
			if err := CheckUnchanged(live, now); err != nil {
				return nil, err
			}
		}
		return cluster.RestoreTemplate(ctx, now, to)
	})
}
