package k8s

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GetNamespace reads a namespace. If it does not exist, the error is a *NamespaceError.
func (c *Client) GetNamespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	ns, err := c.core.Namespaces().Get(ctx, name, metav1.GetOptions{})
	return ns, Explain(err, "read namespace %s", name)
}

// Namespaces returns the names of the cluster's namespaces.
func (c *Client) Namespaces(ctx context.Context) ([]string, error) {
	l, err := c.core.Namespaces().List(ctx, cached(""))
	if err != nil {
		return nil, Explain(err, "list the namespaces")
	}
	var names []string
	for i := range l.Items {
		names = append(names, l.Items[i].Name)
	}
	return names, nil
}
