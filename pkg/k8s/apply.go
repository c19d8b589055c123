package k8s

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// applier is what all typed clients have in common: T the object, C its apply configuration.
type applier[T, C any] interface {
	Apply(ctx context.Context, conf C, opts metav1.ApplyOptions) (T, error)
}

// apply makes the object what conf says by server-side apply, creating it where it is
// absent. Force settles conflicts for the manager: norn's fields are norn's.
func apply[T, C any](ctx context.Context, c *Client, client applier[T, C], manager string, conf C) (T, error) {
	return client.Apply(ctx, conf, metav1.ApplyOptions{FieldManager: manager, Force: true, DryRun: c.dryRun})
}

// deleter is the typed clients' Delete.
type deleter interface {
	Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error
}

// remove deletes an object and what it owns, in the foreground: the object is gone from the API
// only after its dependents are. What is gone already is a success.
func (c *Client) remove(ctx context.Context, client deleter, name string) error {
	foreground := metav1.DeletePropagationForeground
	err := client.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &foreground, DryRun: c.dryRun})
	if IsNotFound(err) {
		return nil
	}
	return err
}
