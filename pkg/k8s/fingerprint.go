package k8s

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Fingerprint returns what identifies the cluster: a hash of the UID of namespace kube-system. Every cluster has the
// namespace, nobody can delete it, and its UID is random. Unlike the address, the certificates and the name of a
// context, it stays as long as the cluster's data does.
func (c *Client) Fingerprint(ctx context.Context) (string, error) {
	ns, err := c.GetNamespace(ctx, metav1.NamespaceSystem)
	if err != nil {
		return "", err
	}
	if ns.UID == "" {
		return "", errors.New("namespace kube-system has no UID")
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(ns.UID))), nil
}
