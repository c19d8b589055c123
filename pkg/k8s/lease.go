package k8s

import (
	"context"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// The calls for an app's lock return the API server's errors unchanged: package lease knows what the call was for, and
// wraps them with Explain. They ignore DryRun, because a dry run takes no lock.

// GetLease reads a Lease; see IsNotFound.
func (c *Client) GetLease(ctx context.Context, ns, name string) (*coordinationv1.Lease, error) {
	return c.coordination.Leases(ns).Get(ctx, name, metav1.GetOptions{})
}

// CreateLease creates a Lease; see IsAlreadyExists.
func (c *Client) CreateLease(ctx context.Context, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	return c.coordination.Leases(lease.Namespace).Create(ctx, lease,
		metav1.CreateOptions{FieldManager: metadata.ForgeManager})
}

// UpdateLease replaces a Lease; see IsConflict.
func (c *Client) UpdateLease(ctx context.Context, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	return c.coordination.Leases(lease.Namespace).Update(ctx, lease,
		metav1.UpdateOptions{FieldManager: metadata.ForgeManager})
}

// DeleteLease deletes a Lease if it still has this resourceVersion; see IsConflict.
func (c *Client) DeleteLease(ctx context.Context, ns, name, resourceVersion string) error {
	unchanged := &metav1.Preconditions{ResourceVersion: &resourceVersion}
	return c.coordination.Leases(ns).Delete(ctx, name, metav1.DeleteOptions{Preconditions: unchanged})
}
