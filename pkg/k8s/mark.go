package k8s

import (
	"context"
	"encoding/json"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
)

// MarkVerified records that norn saw a ReplicaSet's rollout complete, as part of a release: a rollback may restore it.
// after is the ReplicaSet that ran before, to which a rollback goes back. If it is "", the one that is known stays.
func (c *Client) MarkVerified(
	ctx context.Context, rs *appsv1.ReplicaSet, at time.Time, after types.UID, in metadata.Release,
) error {
	m := metadata.MarksOf(rs)
	m.Verified, m.Failed, m.Reason = at, time.Time{}, ""
	if after != "" && after != rs.UID {
		m.After = after
	}
	return c.mark(ctx, rs, m.Join(in))
}

// MarkFailed records that norn saw a ReplicaSet's rollout fail, and keeps when an earlier one completed. The failure
// counts even if the clock of the earlier run was ahead.
func (c *Client) MarkFailed(
	ctx context.Context, rs *appsv1.ReplicaSet, reason rollout.Reason, at time.Time, in metadata.Release,
) error {
	m := metadata.MarksOf(rs)
	m.Failed, m.Reason = latest(m.Verified, at), string(reason)
	return c.mark(ctx, rs, m.Join(in))
}

// MarkReleased records that a ReplicaSet is part of a release, and the commits that it was shipped for. It keeps how
// the ReplicaSet's rollouts ended.
func (c *Client) MarkReleased(
	ctx context.Context, rs *appsv1.ReplicaSet, in metadata.Release, commits ...string,
) error {
	m := metadata.MarksOf(rs).Join(in)
	for _, commit := range commits {
		m = m.WithCommit(commit)
	}
	return c.mark(ctx, rs, m)
}

func (c *Client) mark(ctx context.Context, rs *appsv1.ReplicaSet, m metadata.Marks) error {
	patch, err := annotationsPatch(m.Annotations(rs))
	if err == nil {
		opts := c.patchOptions(metadata.DeployManager)
		_, err = c.apps.ReplicaSets(rs.Namespace).Patch(ctx, rs.Name, types.MergePatchType, patch, opts)
	}
	return Explain(err, "mark ReplicaSet %s", rs.Name)
}

// ForgetMarks removes marks from a Deployment. kubectl rollout undo copies them there, and the Deployment's controller
// would copy them to the ReplicaSets.
func (c *Client) ForgetMarks(ctx context.Context, d *appsv1.Deployment) error {
	annotations := metadata.WithoutMarks(d.Annotations)
	if len(annotations) == 0 {
		return nil
	}
	patch, err := annotationsPatch(annotations)
	if err == nil {
		opts := c.patchOptions(metadata.DeployManager)
		_, err = c.apps.Deployments(d.Namespace).Patch(ctx, d.Name, types.MergePatchType, patch, opts)
	}
	return Explain(err, "remove copied marks from Deployment %s", d.Name)
}

func annotationsPatch(annotations map[string]any) ([]byte, error) {
	return json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}})
}
