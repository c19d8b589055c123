package k8s

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/k8s/metadata"
)

// GetSecret reads a Secret; see IsNotFound.
func (c *Client) GetSecret(ctx context.Context, ns, name string) (*corev1.Secret, error) {
	s, err := c.core.Secrets(ns).Get(ctx, name, metav1.GetOptions{})
	return s, Explain(err, "read Secret %s", name)
}

// ApplySecret creates or updates a Secret. Its error never contains a value.
func (c *Client) ApplySecret(ctx context.Context, conf *applycore.SecretApplyConfiguration) (*corev1.Secret, error) {
	s, err := apply(ctx, c, c.core.Secrets(*conf.Namespace), metadata.ForgeManager, conf)
	if err != nil && apierrors.IsInvalid(err) { // the server's message quotes invalid values
		err = errors.New("the API server rejected it as invalid")
	}
	return s, Explain(err, "apply Secret %s", *conf.Name)
}

// RemoveSecretKeys removes keys from a Secret, whoever owns them.
func (c *Client) RemoveSecretKeys(ctx context.Context, ns, name string, keys []string) (*corev1.Secret, error) {
	removed := map[string]any{}
	for _, k := range keys {
		removed[k] = nil // a merge patch removes a key by null (RFC 7396)
	}
	patch, err := json.Marshal(map[string]any{"data": removed})
	if err != nil {
		return nil, fmt.Errorf("patch Secret %s: %w", name, err)
	}
	s, err := c.core.Secrets(ns).Patch(ctx, name, types.MergePatchType, patch, c.patchOptions(metadata.ForgeManager))
	return s, Explain(err, "patch Secret %s", name)
}
