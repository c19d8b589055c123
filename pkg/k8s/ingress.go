package k8s

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applynetworking "k8s.io/client-go/applyconfigurations/networking/v1"

	"norn/pkg/k8s/metadata"
)

// GetIngress reads an Ingress; see IsNotFound.
func (c *Client) GetIngress(ctx context.Context, ns, name string) (*networkingv1.Ingress, error) {
	i, err := c.networking.Ingresses(ns).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, Explain(err, "read Ingress %s", name)
	}
	return i, nil
}

// CreateIngress creates or updates an Ingress.
func (c *Client) CreateIngress(
	ctx context.Context, conf *applynetworking.IngressApplyConfiguration,
) (*networkingv1.Ingress, error) {
	i, err := apply(ctx, c, c.networking.Ingresses(*conf.Namespace), metadata.ForgeManager, conf)
	return i, Explain(err, "apply Ingress %s", *conf.Name)
}

// ListIngresses lists all Ingresses of a namespace, not only norn's. If ns is "", it lists those of all namespaces.
func (c *Client) ListIngresses(ctx context.Context, ns string) ([]networkingv1.Ingress, error) {
	l, err := c.networking.Ingresses(ns).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, Explain(err, "list the Ingresses %s", inNamespace(ns))
	}
	return l.Items, nil
}

// IngressClasses returns the names of the cluster's IngressClasses.
func (c *Client) IngressClasses(ctx context.Context) ([]string, error) {
	l, err := c.networking.IngressClasses().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, Explain(err, "list the IngressClasses")
	}
	var names []string
	for _, class := range l.Items {
		names = append(names, class.Name)
	}
	return names, nil
}

// inNamespace returns a phrase for a namespace, or for all if it is "".
func inNamespace(ns string) string {
	if ns == "" {
		return "in all namespaces"
	}
	return "in namespace " + ns
}
