package k8s

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
)

// Revision is an entry of a Deployment's history: a ReplicaSet that it owns.
type Revision struct {
	Number   int64  // as in kubectl rollout history
	Commit   string // "" if norn did not ship the image
	Image    string
	Cause    string
	Since    time.Time // when it was rolled out; a restored template is an old ReplicaSet with a new number
	Verified bool
	Failed   rollout.Reason // why its rollout failed, or ""
	By       string         // the user who deployed it, or ""
	Migrated bool           // a migration ran before it
	Current  bool
	Idle     bool // it had 0 replicas, so it may never have run
	Restored bool // a rollback or a restore went back to it
	Set      *appsv1.ReplicaSet
}

// Revisions lists a Deployment's history, newest first.
func (c *Client) Revisions(ctx context.Context, d *appsv1.Deployment) ([]Revision, error) {
	l, err := c.apps.ReplicaSets(d.Namespace).List(ctx, metav1.ListOptions{LabelSelector: appSelector(d.Name)})
	if err != nil {
		return nil, Explain(err, "list the ReplicaSets of %s", d.Name)
	}
	o := rollout.Observation{Deployment: d}
	for i := range l.Items {
		if rs := &l.Items[i]; metav1.IsControlledBy(rs, d) {
			o.ReplicaSets = append(o.ReplicaSets, rs)
		}
	}
	current := rollout.CurrentReplicaSet(o)
	var out []Revision
	for _, rs := range o.ReplicaSets {
		r := revision(rs, d.Name)
		if r.Current = rs == current; r.Current && d.Status.ObservedGeneration >= d.Generation {
			r.Since = LastProgress(d)
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Revision) int { return cmp.Compare(b.Number, a.Number) })
	return out, nil
}

func revision(rs *appsv1.ReplicaSet, container string) Revision {
	// Until the controller has set the number, it is 0, which sorts first.
	number, _ := strconv.ParseInt(rs.Annotations[metadata.RevisionAnnotation], 10, 64)
	image := metadata.ImageOf(rs.Spec.Template.Spec, container)
	shipped := metadata.Shipped(rs.Annotations, image)
	return Revision{
		Number:   number,
		Commit:   shipped[metadata.CommitAnnotation],
		Cause:    shipped[metadata.ChangeCauseAnnotation],
		Since:    since(rs),
		Verified: rs.Annotations[metadata.VerifiedAnnotation] != "",
		Failed:   rollout.Reason(rs.Annotations[metadata.FailedAnnotation]),
		By:       shipped[metadata.ByAnnotation],
		Migrated: shipped[metadata.MigratedAnnotation] != "",
		Image:    image,
		Idle:     rs.Annotations[metadata.DesiredReplicasAnnotation] == "0",
		Restored: rs.Annotations[metadata.RevisionHistoryAnnotation] != "",
		Set:      rs,
	}
}

// since returns when a ReplicaSet was last rolled out: the latest time that is recorded in it.
func since(rs *appsv1.ReplicaSet) time.Time {
	last := rs.CreationTimestamp.Time
	for _, name := range []string{metadata.RolledOutAnnotation, metadata.VerifiedAnnotation} {
		if at, err := time.Parse(time.RFC3339, rs.Annotations[name]); err == nil && at.After(last) {
			last = at
		}
	}
	return last
}

// LastProgress returns when the rollout of a Deployment's current revision last progressed, as its controller recorded
// it. That is when the revision's last Pod became available.
func LastProgress(d *appsv1.Deployment) time.Time {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing {
			return c.LastUpdateTime.Time
		}
	}
	return d.CreationTimestamp.Time
}

// SameVersion reports whether two ReplicaSets differ only by a restart or by the Secret's version.
func SameVersion(a, b *appsv1.ReplicaSet) bool {
	return reflect.DeepEqual(normalizedTemplate(a), normalizedTemplate(b))
}

// normalizedTemplate returns a Pod template without the fields that change within a version: those set by a restart,
// by a new version of the Secret and by the controller.
func normalizedTemplate(rs *appsv1.ReplicaSet) corev1.PodTemplateSpec {
	t := *rs.Spec.Template.DeepCopy()
	maps.DeleteFunc(t.Annotations, func(k, _ string) bool { return metadata.IsRestartAnnotation(k) })
	if len(t.Annotations) == 0 {
		t.Annotations = nil
	}
	delete(t.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return t
}

// MarkVerified marks a ReplicaSet as verified: a rollback may restore it.
func (c *Client) MarkVerified(ctx context.Context, rs *appsv1.ReplicaSet, at time.Time) error {
	return c.mark(ctx, rs, map[string]any{
		metadata.VerifiedAnnotation:  at.UTC().Format(time.RFC3339),
		metadata.RolledOutAnnotation: at.UTC().Format(time.RFC3339),
		metadata.FailedAnnotation:    nil,
	})
}

// MarkFailed records that a ReplicaSet's rollout ended, and marks it as failed unless it is verified. A verified
// version has run before, so the failure has another cause.
func (c *Client) MarkFailed(ctx context.Context, rs *appsv1.ReplicaSet, reason rollout.Reason, at time.Time) error {
	annotations := map[string]any{metadata.RolledOutAnnotation: at.UTC().Format(time.RFC3339)}
	if rs.Annotations[metadata.VerifiedAnnotation] == "" {
		annotations[metadata.FailedAnnotation] = reason
	}
	return c.mark(ctx, rs, annotations)
}

func (c *Client) mark(ctx context.Context, rs *appsv1.ReplicaSet, annotations map[string]any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}})
	if err == nil {
		opts := c.patchOptions(metadata.DeployManager)
		_, err = c.apps.ReplicaSets(rs.Namespace).Patch(ctx, rs.Name, types.MergePatchType, patch, opts)
	}
	return Explain(err, "mark ReplicaSet %s", rs.Name)
}

// DeleteReplicaSet deletes a ReplicaSet if nobody has changed it since it was read. A missing or changed ReplicaSet is
// not an error.
func (c *Client) DeleteReplicaSet(ctx context.Context, rs *appsv1.ReplicaSet) error {
	unchanged := &metav1.Preconditions{UID: &rs.UID, ResourceVersion: &rs.ResourceVersion}
	err := c.apps.ReplicaSets(rs.Namespace).Delete(ctx, rs.Name, metav1.DeleteOptions{
		Preconditions: unchanged, DryRun: c.dryRun,
	})
	if IsNotFound(err) || IsConflict(err) {
		return nil
	}
	return Explain(err, "delete ReplicaSet %s", rs.Name)
}
