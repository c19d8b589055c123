package k8s

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// DropSecretKeys takes keys out of a Secret, whoever has put them there.
func (c *Client) DropSecretKeys(ctx context.Context, ns, name string, keys []string) (*corev1.Secret, error) {
	gone := map[string]any{}
	for _, k := range keys {
		gone[k] = nil // a merge patch deletes what is null (RFC 7396)
	}
	patch, err := json.Marshal(map[string]any{"data": gone})
	if err != nil {
		return nil, fmt.Errorf("patch Secret %s: %w", name, err)
	}
	s, err := c.core.Secrets(ns).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: ForgeManager, DryRun: c.dryRun})
	return s, explain(err, "patch Secret %s", name)
}
