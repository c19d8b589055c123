package k8s

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// applier is the Apply method of the typed clients. T is the object and C its apply configuration.
type applier[T, C any] interface {
	Apply(ctx context.Context, conf C, opts metav1.ApplyOptions) (T, error)
}

// apply creates or updates an object by server-side apply. It takes over fields in conflict, because norn owns the
// fields that it sets. If the object is being deleted, apply returns a *DeletionError; a dry run shows the object
// instead.
func apply[T metav1.Object, C any](
	ctx context.Context, c *Client, client applier[T, C], manager string, conf C,
) (T, error) {
	out, err := client.Apply(ctx, conf, metav1.ApplyOptions{FieldManager: manager, Force: true, DryRun: c.dryRun})
	if err != nil {
		return out, err
	}
	if t := out.GetDeletionTimestamp(); t != nil && len(c.dryRun) == 0 {
		return out, &DeletionError{t.Time, out.GetFinalizers()}
	}
	return out, nil
}
