package k8s

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/k8s/metadata"
)

// GetPVC reads a PersistentVolumeClaim; see IsNotFound.
func (c *Client) GetPVC(ctx context.Context, ns, name string) (*corev1.PersistentVolumeClaim, error) {
	p, err := c.core.PersistentVolumeClaims(ns).Get(ctx, name, metav1.GetOptions{})
	return p, Explain(err, "read PersistentVolumeClaim %s", name)
}

// ListPVCs lists the PersistentVolumeClaims that norn manages for an app.
func (c *Client) ListPVCs(ctx context.Context, ns, app string) ([]corev1.PersistentVolumeClaim, error) {
	l, err := c.core.PersistentVolumeClaims(ns).List(ctx, metav1.ListOptions{LabelSelector: ownedSelector(app)})
	if err != nil {
		return nil, Explain(err, "list the PersistentVolumeClaims of %s", app)
	}
	return owned(l.Items, nil), nil
}

// ListAllPVCs lists all PersistentVolumeClaims in a namespace, whoever manages them.
func (c *Client) ListAllPVCs(ctx context.Context, ns string) ([]corev1.PersistentVolumeClaim, error) {
	l, err := c.core.PersistentVolumeClaims(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, Explain(err, "list the PersistentVolumeClaims in namespace %s", ns)
	}
	return l.Items, nil
}

// CreatePVC creates or updates a PersistentVolumeClaim.
func (c *Client) CreatePVC(ctx context.Context,
	conf *applycore.PersistentVolumeClaimApplyConfiguration) (*corev1.PersistentVolumeClaim, error) {
	p, err := apply(ctx, c, c.core.PersistentVolumeClaims(*conf.Namespace), metadata.ForgeManager, conf)
	return p, Explain(err, "apply PersistentVolumeClaim %s", *conf.Name)
}
