package complete

import (
	"cmp"
	"context"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/deploy"
	"norn/pkg/forge"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// Cluster provides values from the cluster.
type Cluster interface {
	names
	GetPods(ctx context.Context, ns, app string) ([]corev1.Pod, error)
	deploy.Reader
	processes
}

// names provides the apps and the namespaces of a cluster.
type names interface {
	AppNames(ctx context.Context, ns string) ([]string, error)
	Namespaces(ctx context.Context) ([]string, error)
	InEnvironments(ctx context.Context, ns string) ([]metadata.Object, error)
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

// Previews returns the previews of an infraspec's app that exist in the namespaces of its environments, or in ns.
func Previews(ctx context.Context, c Cluster, infraspecPath, ns string) []Value {
	spec, _ := infraspec.Inspect(infraspecPath)
	spaces := map[string]bool{}
	for _, name := range spec.PreviewEnvironments() {
		e := spec.Environments[name]
		if e.NamespacesVary() {
			spaces = map[string]bool{"": true}
			break
		}
		spaces[cmp.Or(e.Namespace, ns)] = true
	}
	var values []Value
	for ns := range spaces {
		all, _ := c.InEnvironments(ctx, ns) // without a list, there are no values
		for _, p := range forge.PreviewsOf(all) {
			if p.Base() == spec.App {
				values = append(values, Value{p.Environment, "namespace " + p.Namespace})
			}
		}
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
