package k8s

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"k8s.io/apimachinery/pkg/types"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/k8s/metadata"
)

// GetSecret reads a Secret; see IsNotFound.
func (c *Client) GetSecret(ctx context.Context, ns, name string) (*corev1.Secret, error) {
	s, err := c.core.Secrets(ns).Get(ctx, name, metav1.GetOptions{})
	return s, Explain(err, "read Secret %s", name)
}

// ApplySecret makes the Secret what conf says. The error's text holds no value of it.
func (c *Client) ApplySecret(ctx context.Context, conf *applycore.SecretApplyConfiguration) (*corev1.Secret, error) {
	s, err := apply(ctx, c, c.core.Secrets(*conf.Namespace), metadata.ForgeManager, conf)
	if err != nil && apierrors.IsInvalid(err) { // the server quotes what it finds invalid
		err = errors.New("the API server refused it as invalid")
	}
	return s, Explain(err, "apply Secret %s", *conf.Name)
}

// DeleteSecret deletes a Secret; one that is gone is a success.
func (c *Client) DeleteSecret(ctx context.Context, ns, name string) error {
	return Explain(c.remove(ctx, c.core.Secrets(ns), name), "delete Secret %s", name)
}

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
	s, err := c.core.Secrets(ns).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: metadata.ForgeManager, DryRun: c.dryRun})
	return s, Explain(err, "patch Secret %s", name)
}
