// Package k8s is the only part of norn that talks to a Kubernetes API server. Client makes every call; its
// sub-packages find the server (connect), judge what it answers (rollout) and keep other runs away (lease).
package k8s

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsv1 "k8s.io/client-go/kubernetes/typed/apps/v1"
	authenticationv1 "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	batchv1 "k8s.io/client-go/kubernetes/typed/batch/v1"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"norn/pkg/k8s/metadata"
)

// Client makes norn's calls to one API server. It is safe for concurrent use.
type Client struct {
	apps  appsv1.AppsV1Interface
	core  corev1.CoreV1Interface
	batch batchv1.BatchV1Interface
	logs  corev1.CoreV1Interface

	coordination   coordinationv1.CoordinationV1Interface
	authorization  authorizationv1.AuthorizationV1Interface
	authentication authenticationv1.AuthenticationV1Interface
	dryRun         []string // what is sent with every write: nothing, or that it is one for show
	conf           *rest.Config

	// Context is the kubeconfig context's name, or "in-cluster".
	Context string
}

// New builds the typed clients over one HTTP client. The whole clientset is left out on purpose: its forty API groups
// cost start-up time and ten megabytes of binary.
func New(conf *rest.Config, context string) (*Client, error) {
	httpClient, err := rest.HTTPClientFor(conf)
	if err != nil {
		return nil, setupError(err)
	}
	apps, appsErr := appsv1.NewForConfigAndClient(conf, httpClient)
	core, coreErr := corev1.NewForConfigAndClient(conf, httpClient)
	batch, batchErr := batchv1.NewForConfigAndClient(conf, httpClient)
	coordination, coordinationErr := coordinationv1.NewForConfigAndClient(conf, httpClient)
	authorization, authorizationErr := authorizationv1.NewForConfigAndClient(conf, httpClient)
	authentication, authenticationErr := authenticationv1.NewForConfigAndClient(conf, httpClient)
	logs, logsErr := newLogClient(conf)
	for _, err := range []error{appsErr, coreErr, batchErr, coordinationErr, authorizationErr, authenticationErr, logsErr} {
		if err != nil {
			return nil, setupError(err)
		}
	}
	return &Client{
		apps: apps, core: core, batch: batch, logs: logs,
		coordination: coordination, authorization: authorization, authentication: authentication,
		conf: conf, Context: context,
	}, nil
}

func setupError(err error) error { return fmt.Errorf("set up the connection: %w", err) }

// Config returns the configuration that the client was made from.
func (c *Client) Config() *rest.Config { return c.conf }

// DryRun is a Client whose writes are checked, defaulted and answered by the API server as any other, and not kept
// (kubernetes.io: Dry-run).
func (c *Client) DryRun() *Client {
	dry := *c
	dry.dryRun = []string{metav1.DryRunAll}
	return &dry
}

// madeByNorn selects all objects that norn made.
const madeByNorn = metadata.ManagedByLabel + "=" + metadata.ManagedBy

// appSelector selects all objects that carry an app's label; ownedSelector narrows that to those that norn made.
func appSelector(app string) string   { return metadata.AppLabel + "=" + app }
func ownedSelector(app string) string { return appSelector(app) + "," + madeByNorn }
