// Package k8s is the only part of norn that talks to a Kubernetes API server. Client makes every call. Its sub-packages
// find the server (connect), judge rollouts (rollout) and lock apps (lease).
package k8s

import (
	"cmp"
	"fmt"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	appsv1 "k8s.io/client-go/kubernetes/typed/apps/v1"
	authenticationv1 "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	batchv1 "k8s.io/client-go/kubernetes/typed/batch/v1"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	networkingv1 "k8s.io/client-go/kubernetes/typed/networking/v1"
	policyv1 "k8s.io/client-go/kubernetes/typed/policy/v1"
	"k8s.io/client-go/rest"

	"norn/pkg/k8s/metadata"
)

// Client makes norn's calls to one API server. It is safe for concurrent use.
type Client struct {
	apps  appsv1.AppsV1Interface
	core  corev1.CoreV1Interface
	batch batchv1.BatchV1Interface
	logs  corev1.CoreV1Interface

	policy     policyv1.PolicyV1Interface
	networking networkingv1.NetworkingV1Interface
	dynamic    dynamic.Interface

	coordination   coordinationv1.CoordinationV1Interface
	authorization  authorizationv1.AuthorizationV1Interface
	authentication authenticationv1.AuthenticationV1Interface
	dryRun         []string // the dryRun parameter of every write
	version        string   // the server's, by Ping
	conf           *rest.Config
	proxy          *http.Client // for requests that Pods answer

	// Context is the kubeconfig context's name, or "in-cluster".
	Context string
	// ContextNamespace is the namespace that the kubeconfig context sets, or "".
	ContextNamespace string
	// NoCredentials is why this client sends no credentials, or "" if it sends some.
	NoCredentials string
}

// New returns a Client whose typed clients share one HTTP client. client-go's clientset would add forty API groups,
// which slow down the start and add ten megabytes to the binary. Each wrap gets the complete transport, with the
// credential plugin that a wrapper in conf cannot surround.
func New(
	conf *rest.Config, context string, wrap ...func(http.RoundTripper) http.RoundTripper,
) (*Client, error) {
	httpClient, err := httpClientFor(conf, wrap)
	if err != nil {
		return nil, setupError(err)
	}
	apps, appsErr := appsv1.NewForConfigAndClient(conf, httpClient)
	core, coreErr := corev1.NewForConfigAndClient(conf, httpClient)
	batch, batchErr := batchv1.NewForConfigAndClient(conf, httpClient)
	coordination, coordinationErr := coordinationv1.NewForConfigAndClient(conf, httpClient)
	authorization, authorizationErr := authorizationv1.NewForConfigAndClient(conf, httpClient)
	authentication, authenticationErr := authenticationv1.NewForConfigAndClient(conf, httpClient)
	policy, policyErr := policyv1.NewForConfigAndClient(conf, httpClient)
	networking, networkingErr := networkingv1.NewForConfigAndClient(conf, httpClient)
	dyn, dynamicErr := dynamic.NewForConfigAndClient(dynamic.ConfigFor(conf), httpClient)
	logs, logsErr := newLogClient(conf, wrap)
	err = cmp.Or(appsErr, coreErr, batchErr, coordinationErr, authorizationErr, authenticationErr, policyErr,
		networkingErr, dynamicErr, logsErr)
	if err != nil {
		return nil, setupError(err)
	}
	proxy := *httpClient
	proxy.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		apps: apps, core: core, batch: batch, logs: logs, policy: policy, networking: networking, dynamic: dyn,
		coordination: coordination, authorization: authorization, authentication: authentication,
		conf: conf, proxy: &proxy, Context: context,
	}, nil
}

func httpClientFor(conf *rest.Config, wrap []func(http.RoundTripper) http.RoundTripper) (*http.Client, error) {
	c, err := rest.HTTPClientFor(conf)
	if err != nil {
		return nil, err
	}
	wrapped := *c
	for _, w := range wrap {
		wrapped.Transport = w(wrapped.Transport)
	}
	return &wrapped, nil
}

func setupError(err error) error { return fmt.Errorf("set up the connection: %w", err) }

// Config returns the configuration of the connection.
func (c *Client) Config() *rest.Config { return c.conf }

// DryRun returns a Client whose writes the API server validates, defaults and answers, but does not store
// (kubernetes.io: Dry-run).
func (c *Client) DryRun() *Client {
	dry := *c
	dry.dryRun = []string{metav1.DryRunAll}
	return &dry
}

func (c *Client) createOptions() metav1.CreateOptions {
	return metav1.CreateOptions{FieldManager: metadata.ForgeManager, DryRun: c.dryRun}
}

func (c *Client) patchOptions(manager string) metav1.PatchOptions {
	return metav1.PatchOptions{FieldManager: manager, DryRun: c.dryRun}
}

// managedSelector selects all objects that norn manages.
const managedSelector = metadata.ManagedByLabel + "=" + metadata.ManagedBy

// appSelector selects all objects with an app's label. ownedSelector selects only the ones that norn manages.
func appSelector(app string) string   { return metadata.AppLabel + "=" + app }
func ownedSelector(app string) string { return appSelector(app) + "," + managedSelector }
