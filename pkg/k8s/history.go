package k8s

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
)

// Revision is an entry of a Deployment's history: a ReplicaSet that it owns.
type Revision struct {
	Number   int64 // as in kubectl rollout history
	Commit   string
	Image    string
	Cause    string
	Since    time.Time // when it was rolled out; a restored template is an old ReplicaSet with a new number
	Verified bool
	Failed   rollout.Reason // why its rollout failed, or ""
	By       string         // the user who deployed it, or ""
	Migrated bool           // a migration ran before it
	Current  bool
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
		r.Current = rs == current
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Revision) int { return cmp.Compare(b.Number, a.Number) })
	return out, nil
}

func revision(rs *appsv1.ReplicaSet, container string) Revision {
	// Until the controller has set the number, it is 0, which sorts first.
	number, _ := strconv.ParseInt(rs.Annotations[metadata.RevisionAnnotation], 10, 64)
	return Revision{
		Number:   number,
		Commit:   rs.Annotations[metadata.CommitAnnotation],
		Cause:    rs.Annotations[metadata.ChangeCauseAnnotation],
		Since:    since(rs),
		Verified: rs.Annotations[metadata.VerifiedAnnotation] != "",
		Failed:   rollout.Reason(rs.Annotations[metadata.FailedAnnotation]),
		By:       rs.Annotations[metadata.ByAnnotation],
		Migrated: rs.Annotations[metadata.MigratedAnnotation] != "",
		Image:    metadata.ImageOf(rs.Spec.Template.Spec, container),
		Set:      rs,
	}
}

func since(rs *appsv1.ReplicaSet) time.Time {
	verified, err := time.Parse(time.RFC3339, rs.Annotations[metadata.VerifiedAnnotation])
	if err == nil && verified.After(rs.CreationTimestamp.Time) {
		return verified
	}
	return rs.CreationTimestamp.Time
}

// MarkVerified marks a ReplicaSet as verified: a rollback may restore it.
func (c *Client) MarkVerified(ctx context.Context, rs *appsv1.ReplicaSet, at time.Time) error {
	return c.mark(ctx, rs, map[string]any{
		metadata.VerifiedAnnotation: at.UTC().Format(time.RFC3339),
		metadata.FailedAnnotation:   nil,
	})
}

// MarkFailed marks a ReplicaSet as failed, unless it is verified. A verified version has run before, so the failure
// has another cause.
func (c *Client) MarkFailed(ctx context.Context, rs *appsv1.ReplicaSet, reason rollout.Reason) error {
	if rs.Annotations[metadata.VerifiedAnnotation] != "" {
		return nil
	}
	return c.mark(ctx, rs, map[string]any{metadata.FailedAnnotation: reason})
}

func (c *Client) mark(ctx context.Context, rs *appsv1.ReplicaSet, annotations map[string]any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}})
	if err == nil {
		opts := c.patchOptions(metadata.DeployManager)
		_, err = c.apps.ReplicaSets(rs.Namespace).Patch(ctx, rs.Name, types.MergePatchType, patch, opts)
	}
	return Explain(err, "mark ReplicaSet %s", rs.Name)
}
