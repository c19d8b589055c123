package complete

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/deploy"
	"norn/pkg/k8s"
)

// Cluster provides values from the cluster.
type Cluster interface {
	AppNames(ctx context.Context, ns string) ([]string, error)
	Namespaces(ctx context.Context) ([]string, error)
	GetPods(ctx context.Context, ns, app string) ([]corev1.Pod, error)
	deploy.Reader
	processes
}

// processes provides the processes of an app other than the main one.
type processes interface {
	ProcessPods(ctx context.Context, ns, app string) ([]corev1.Pod, error)
	ProcessNames(ctx context.Context, ns, app string) ([]string, error)
}

var _ Cluster = (*k8s.Client)(nil)

// InCluster returns the apps that norn manages in a namespace.
func InCluster(ctx context.Context, c Cluster, ns string) []Value {
	names, _ := c.AppNames(ctx, ns) // some names are better than none
	values := make([]Value, 0, len(names))
	for _, name := range names {
		values = append(values, Value{name, "in namespace " + ns})
	}
	return values
}

// Processes returns the processes of an app in the cluster.
func Processes(ctx context.Context, c Cluster, ns, app string) []Value {
	names, _ := c.ProcessNames(ctx, ns, app)
	return Words(names...)
}

// Namespaces returns the namespaces of the cluster.
func Namespaces(ctx context.Context, c Cluster) []Value {
	names, _ := c.Namespaces(ctx)
	values := make([]Value, 0, len(names))
	for _, name := range names {
		values = append(values, Value{Text: name})
	}
	return values
}
