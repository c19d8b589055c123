package k8s

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
)

// Revision is an entry of a Deployment's history: a ReplicaSet that it owns.
type Revision struct {
	Number   int64  // as in kubectl rollout history
	Commit   string // "" if norn did not ship the image
	Subject  string // the first line of the commit's message, or ""
	Image    string
	Cause    string
	Since    time.Time      // when it was rolled out; a restored template is an old ReplicaSet with a new number
	Verified bool           // norn saw its last rollout complete
	Failed   rollout.Reason // why its last rollout failed, or ""
	Proven   bool           // norn saw a rollout of it complete, even if a later one failed
	By       string         // the user who deployed it, or ""
	Migrated bool           // a migration ran before it
	Current  bool
	Idle     bool               // it had 0 replicas, so it may never have run
	Restored bool               // a rollback or a restore went back to it
	After    types.UID          // the ReplicaSet that ran before it, as far as norn knows
	Releases []metadata.Release // of which it is a part, oldest first; none if the app has one process
	Also     []string           // other commits with the same content that were shipped as this revision
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
		r := revision(rs, metadata.AppOf(d), shippedOf(d, rs, rs == current))
		if r.Current = rs == current; r.Current && d.Status.ObservedGeneration >= d.Generation {
			r.Since = LastProgress(d)
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Revision) int { return cmp.Compare(b.Number, a.Number) })
	return out, nil
}

// shippedOf returns the annotations that say what a ReplicaSet was shipped for. For the current one, those are the
// Deployment's: a release with the same content changes only them, and the controller copies them later.
func shippedOf(d *appsv1.Deployment, rs *appsv1.ReplicaSet, current bool) map[string]string {
	image := metadata.ImageOf(rs.Spec.Template.Spec, metadata.AppOf(d))
	if current && !d.Spec.Paused && d.Annotations[metadata.ImageAnnotation] == image {
		return d.Annotations
	}
	return metadata.Shipped(rs.Annotations, image)
}

func revision(rs *appsv1.ReplicaSet, container string, shipped map[string]string) Revision {
	// Until the controller has set the number, it is 0, which sorts first.
	number, _ := strconv.ParseInt(rs.Annotations[metadata.RevisionAnnotation], 10, 64)
	image := metadata.ImageOf(rs.Spec.Template.Spec, container)
	marks := metadata.MarksOf(rs)
	return Revision{
		Number:   number,
		Commit:   shipped[metadata.CommitAnnotation],
		Subject:  shipped[metadata.SubjectAnnotation],
		Cause:    shipped[metadata.ChangeCauseAnnotation],
		Since:    latest(rs.CreationTimestamp.Time, marks.Last()),
		Verified: !marks.Verified.IsZero() && marks.Failed.IsZero(),
		Failed:   rollout.Reason(marks.Reason),
		Proven:   !marks.Verified.IsZero(),
		By:       shipped[metadata.ByAnnotation],
		Migrated: shipped[metadata.MigratedAnnotation] != "",
		Image:    image,
		Idle:     rs.Annotations[metadata.DesiredReplicasAnnotation] == "0",
		Restored: rs.Annotations[metadata.RevisionHistoryAnnotation] != "",
		After:    marks.After,
		Releases: marks.Releases,
		Also: slices.DeleteFunc(marks.Commits, func(commit string) bool {
			return commit == shipped[metadata.CommitAnnotation]
		}),
		Set: rs,
	}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
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

// SameVersion reports whether two Pod templates differ only by a restart or by the Secret's version.
func SameVersion(a, b corev1.PodTemplateSpec) bool {
	return equality.Semantic.DeepEqual(normalized(a), normalized(b))
}

// SamePods reports whether two Pod templates differ only in annotations. Controllers add those to replace Pods.
func SamePods(a, b corev1.PodTemplateSpec) bool {
	a.Annotations, b.Annotations = nil, nil
	return SameVersion(a, b)
}

// normalized returns a Pod template without the fields that change within a version. A restart, a new version of the
// Secret and the controller set these fields.
func normalized(template corev1.PodTemplateSpec) corev1.PodTemplateSpec {
	t := *template.DeepCopy()
	maps.DeleteFunc(t.Annotations, func(k, _ string) bool { return metadata.IsRestartAnnotation(k) })
	if len(t.Annotations) == 0 {
		t.Annotations = nil
	}
	delete(t.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return t
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
