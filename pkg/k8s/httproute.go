package k8s

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"norn/pkg/k8s/metadata"
)

// GatewayVersion is the API group and version of the Gateway API that norn uses.
const GatewayVersion = "gateway.networking.k8s.io/v1"

// gatewayResource returns a resource of the Gateway API. It has no typed client in client-go.
func (c *Client) gatewayResource(resource, ns string) dynamic.ResourceInterface {
	gv := schema.GroupVersion{Group: "gateway.networking.k8s.io", Version: "v1"}
	return c.dynamic.Resource(gv.WithResource(resource)).Namespace(ns)
}

func (c *Client) httpRoutes(ns string) routeClient {
	return routeClient{c.gatewayResource("httproutes", ns)}
}

// routeClient has the methods of a typed client for HTTPRoutes.
type routeClient struct{ all dynamic.ResourceInterface }

// Get implements kindClient.
func (r routeClient) Get(ctx context.Context, name string, o metav1.GetOptions) (*unstructured.Unstructured, error) {
	return r.all.Get(ctx, name, o)
}

// Patch implements kindClient.
func (r routeClient) Patch( //nolint:revive // the arguments are those of kindClient
	ctx context.Context, name string, kind types.PatchType, data []byte, o metav1.PatchOptions, sub ...string,
) (*unstructured.Unstructured, error) {
	return r.all.Patch(ctx, name, kind, data, o, sub...)
}

// Delete implements kindClient.
func (r routeClient) Delete(ctx context.Context, name string, o metav1.DeleteOptions) error {
	return r.all.Delete(ctx, name, o)
}

// Apply implements applier.
func (r routeClient) Apply(
	ctx context.Context, conf *unstructured.Unstructured, o metav1.ApplyOptions,
) (*unstructured.Unstructured, error) {
	return r.all.Apply(ctx, conf.GetName(), conf, o)
}

// List implements lister.
func (r routeClient) List(ctx context.Context, o metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	return r.all.List(ctx, o)
}

// GetHTTPRoute reads an HTTPRoute; see IsNotFound. It is not found, too, if the cluster does not serve the kind.
func (c *Client) GetHTTPRoute(ctx context.Context, ns, name string) (*unstructured.Unstructured, error) {
	r, err := c.httpRoutes(ns).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, Explain(err, "read HTTPRoute %s", name)
	}
	return r, nil
}

// GetGateway reads a Gateway; see IsNotFound.
func (c *Client) GetGateway(ctx context.Context, ns, name string) (*unstructured.Unstructured, error) {
	g, err := c.gatewayResource("gateways", ns).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, Explain(err, "read Gateway %s/%s", ns, name)
	}
	return g, nil
}

// CreateHTTPRoute creates or updates an HTTPRoute.
func (c *Client) CreateHTTPRoute(
	ctx context.Context, conf *unstructured.Unstructured,
) (*unstructured.Unstructured, error) {
	r, err := apply(ctx, c, c.httpRoutes(conf.GetNamespace()), metadata.ForgeManager, conf)
	return r, Explain(err, "apply HTTPRoute %s", conf.GetName())
}

// ListHTTPRoutes lists all HTTPRoutes of a namespace, not only norn's. If ns is "", it lists those of all namespaces.
// A cluster that does not serve the kind has none.
func (c *Client) ListHTTPRoutes(ctx context.Context, ns string) ([]unstructured.Unstructured, error) {
	l, err := c.httpRoutes(ns).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, Explain(err, "list the HTTPRoutes %s", inNamespace(ns))
	}
	return l.Items, nil
}

// ServesHTTPRoutes reports whether the cluster serves HTTPRoutes of GatewayVersion.
func (c *Client) ServesHTTPRoutes(ctx context.Context) (bool, error) {
	var served metav1.APIResourceList
	err := c.core.RESTClient().Get().AbsPath("/apis", GatewayVersion).Do(ctx).Into(&served)
	if IsNotFound(err) {
		return false, nil
	}
	for _, r := range served.APIResources {
		if r.Name == "httproutes" {
			return true, nil
		}
	}
	return false, Explain(err, "find out whether the cluster serves HTTPRoutes")
}

// optional returns a call that does nothing if the user lacks the permission, which it records, or the cluster does not
// serve the kind.
func optional(call func() error, denied *bool) func() error {
	return func() error {
		err := call()
		if _, *denied = errors.AsType[*DeniedError](err); *denied || IsNotFound(err) {
			return nil
		}
		return err
	}
}
