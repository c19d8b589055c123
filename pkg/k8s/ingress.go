package k8s

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"
)

// ListIngresses lists all Ingresses of a namespace. norn makes none.
func (c *Client) ListIngresses(ctx context.Context, ns string) ([]networkingv1.Ingress, error) {
	var list networkingv1.IngressList
	err := c.apps.RESTClient().Get().AbsPath("/apis/networking.k8s.io/v1/namespaces", ns, "ingresses").Do(ctx).Into(&list)
	return list.Items, Explain(err, "list the Ingresses in namespace %s", ns)
}
