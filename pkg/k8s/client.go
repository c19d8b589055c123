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
)

// AppLabel is the label that all objects of one app carry; it is the pods' whole selector.
const AppLabel = "app"

// The label that tells norn's objects from others', and its value.
const (
	ManagedByLabel = "managed-by"
	ManagedBy      = "norn"
)

// JobLabel is on the Jobs of norn run, norn invoke and migrations, and says of which.
const JobLabel = "norn/job"

// The field managers of server-side apply. What the infraspec says and what a
// deploy sets have different owners, so that neither reverts the other.
const (
	ForgeManager  = "norn"        // owns what infraspec.yaml says
	DeployManager = "norn-deploy" // owns image, pull policy and paused
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
	credential     Credential

	// Context is the kubeconfig context's name, or "in-cluster".
	Context string
}

// newClient builds the typed clients over one HTTP client. The whole clientset is left
// out on purpose: its forty API groups cost start-up time and ten megabytes of binary.
func newClient(conf *rest.Config, context string) (*Client, error) {
	httpClient, err := rest.HTTPClientFor(conf)
	if err != nil {
		return nil, fmt.Errorf("set up the connection: %w", err)
	}
	apps, err := appsv1.NewForConfigAndClient(conf, httpClient)
	if err != nil {
		return nil, fmt.Errorf("set up the connection: %w", err)
	}
	core, err := corev1.NewForConfigAndClient(conf, httpClient)
	if err != nil {
		return nil, fmt.Errorf("set up the connection: %w", err)
	}
	batch, err := batchv1.NewForConfigAndClient(conf, httpClient)
	if err != nil {
		return nil, fmt.Errorf("set up the connection: %w", err)
	}
	coordination, err := coordinationv1.NewForConfigAndClient(conf, httpClient)
	if err != nil {
		return nil, fmt.Errorf("set up the connection: %w", err)
	}
	authorization, err := authorizationv1.NewForConfigAndClient(conf, httpClient)
	if err != nil {
		return nil, fmt.Errorf("set up the connection: %w", err)
	}
	authentication, err := authenticationv1.NewForConfigAndClient(conf, httpClient)
	if err != nil {
		return nil, fmt.Errorf("set up the connection: %w", err)
	}
	logs, err := newLogClient(conf)
	if err != nil {
		return nil, fmt.Errorf("set up the connection: %w", err)
	}
	return &Client{
		apps: apps, core: core, batch: batch, logs: logs,
		coordination: coordination, authorization: authorization, authentication: authentication,
		credential: credentialOf(conf), Context: context,
	}, nil
}

// DryRun is a Client whose writes are checked, defaulted and answered by the API server as any other, and not kept
// (kubernetes.io: Dry-run).
func (c *Client) DryRun() *Client {
	dry := *c
	dry.dryRun = []string{metav1.DryRunAll}
	return &dry
}

// madeByNorn finds all that norn made.
const madeByNorn = ManagedByLabel + "=" + ManagedBy

// selector finds all that belongs to an app; ours narrows that to what norn made.
func selector(app string) string { return AppLabel + "=" + app }
func ours(app string) string     { return selector(app) + "," + madeByNorn }
