package k8s

import (
	"context"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/k8s/metadata"
)

// GetService reads a Service; see IsNotFound.
func (c *Client) GetService(ctx context.Context, ns, name string) (*corev1.Service, error) {
	s, err := c.core.Services(ns).Get(ctx, name, metav1.GetOptions{})
	return s, Explain(err, "read Service %s", name)
}

// CreateService creates or updates a Service.
func (c *Client) CreateService(ctx context.Context,
	conf *applycore.ServiceApplyConfiguration) (*corev1.Service, error) {
	s, err := apply(ctx, c, c.core.Services(*conf.Namespace), metadata.ForgeManager, conf)
	return s, Explain(err, "apply Service %s", *conf.Name)
}

// ListServices lists the Services that norn manages for an app.
func (c *Client) ListServices(ctx context.Context, ns, app string) ([]corev1.Service, error) {
	l, err := c.core.Services(ns).List(ctx, metav1.ListOptions{LabelSelector: ownedSelector(app)})
	if err != nil {
		return nil, Explain(err, "list the Services of %s", app)
	}
	return owned(l.Items, nil), nil
}

// ListAllServices lists all Services of a namespace, not only norn's.
func (c *Client) ListAllServices(ctx context.Context, ns string) ([]corev1.Service, error) {
	l, err := c.core.Services(ns).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, Explain(err, "list the Services in namespace %s", ns)
	}
	return l.Items, nil
}

// AskService sends a GET request to port 80 of a Service through the API server's proxy, and returns the status code of
// the Pod's answer. If no Pod is ready, the error matches IsNoEndpoints. It requires get services/proxy.
func (c *Client) AskService(ctx context.Context, ns, service, path string) (status int, err error) {
	proxied := c.core.RESTClient().Get().Namespace(ns).Resource("services").Name(service + ":80").SubResource("proxy")
	status, err = c.askPod(ctx, proxied, path)
	if err != nil && (status == 0 || isDenied(err) || noAnswer.MatchString(err.Error())) {
		return 0, Explain(err, "send a request through Service %s", service)
	}
	return status, nil // the Pod's own, which may be an error too
}

// The API server's messages about a Service that leads nowhere (k8s.io/kubernetes/pkg/registry/core/service/storage).
var (
	noEndpoints = regexp.MustCompile(`no endpoints available for service`)
	noAnswer    = regexp.MustCompile(noEndpoints.String() + `|services "[^"]*" not found|` + unreached.String())
)

// IsNoEndpoints reports whether AskService failed because no Pod of the Service is ready.
func IsNoEndpoints(err error) bool { return err != nil && noEndpoints.MatchString(err.Error()) }
