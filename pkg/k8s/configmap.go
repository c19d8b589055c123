package k8s

import (
	"context"
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// GetConfigMap reads a ConfigMap; see IsNotFound.
func (c *Client) GetConfigMap(ctx context.Context, ns, name string) (*corev1.ConfigMap, error) {
	m, err := c.core.ConfigMaps(ns).Get(ctx, name, metav1.GetOptions{})
	return m, Explain(err, "read ConfigMap %s in namespace %s", name, ns)
}

// PatchConfigMap reads a ConfigMap, lets edit change it in place and writes it back. If somebody else changes it in
// between, PatchConfigMap starts again with the new state, so no write is lost. It reports whether edit changed
// anything. A missing ConfigMap is an error; see IsNotFound.
func (c *Client) PatchConfigMap(ctx context.Context, ns, name string,
	edit func(*corev1.ConfigMap) error) (changed bool, err error) {
	client := c.core.ConfigMaps(ns)
	err = RetryOnConflict(func() error {
		live, err := client.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		before := live.DeepCopy()
		if live.Data == nil {
			live.Data = map[string]string{}
		}
		if err := edit(live); err != nil {
			return err
		}
		if changed = !maps.Equal(before.Data, live.Data) || !maps.Equal(before.Annotations, live.Annotations); !changed {
			return nil
		}
		_, err = client.Update(ctx, live, metav1.UpdateOptions{FieldManager: metadata.ForgeManager, DryRun: c.dryRun})
		return err
	})
	return changed, Explain(err, "edit ConfigMap %s in namespace %s", name, ns)
}
