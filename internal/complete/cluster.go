package complete

import (
	"context"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/deploy"
	"norn/pkg/k8s"
)

// Cluster provides values from the cluster.
type Cluster interface {
	AppNames(ctx context.Context, ns string) ([]string, error)
	Namespaces(ctx context.Context) ([]string, error)
	GetPods(ctx context.Context, ns, app string) ([]corev1.Pod, error)
	GetDeployment(ctx context.Context, ns, name string) (*appsv1.Deployment, error)
	Revisions(ctx context.Context, d *appsv1.Deployment) ([]k8s.Revision, error)
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

// Namespaces returns the namespaces of the cluster.
func Namespaces(ctx context.Context, c Cluster) []Value {
	names, _ := c.Namespaces(ctx)
	values := make([]Value, 0, len(names))
	for _, name := range names {
		values = append(values, Value{Text: name})
	}
	return values
}

// Revisions returns the revision numbers of an app, newest first, and then their commits if commits is set.
func Revisions(ctx context.Context, c Cluster, ns, app string, commits bool) []Value {
	d, err := c.GetDeployment(ctx, ns, app)
	if err != nil {
		return nil
	}
	revisions, _ := c.Revisions(ctx, d)
	var numbers, versions []Value
	for _, e := range deploy.Entries(revisions) {
		number, about := strconv.FormatInt(e.Revision, 10), ", "+ago(e.Created)
		switch {
		case e.Current:
			about += ", current"
		case e.Failed != "":
			about += ", failed"
		case !e.Verified:
			about += ", not watched"
		}
		numbers = append(numbers, Value{number, e.Version() + about})
		versions = append(versions, Value{e.Version(), "revision " + number + about})
	}
	if !commits {
		return numbers
	}
	return append(numbers, versions...)
}

// Pods returns the Pods of an app.
func Pods(ctx context.Context, c Cluster, ns, app string) []Value {
	pods, _ := c.GetPods(ctx, ns, app)
	values := make([]Value, 0, len(pods))
	for i := range pods {
		p := &pods[i]
		values = append(values, Value{p.Name, string(p.Status.Phase) + ", " + ago(p.CreationTimestamp.Time)})
	}
	return values
}

// Containers returns the containers of an app's Pods.
func Containers(ctx context.Context, c Cluster, ns, app string) []Value {
	pods, _ := c.GetPods(ctx, ns, app)
	var values []Value
	for i := range pods {
		for _, k := range pods[i].Spec.Containers {
			values = append(values, Value{k.Name, k.Image})
		}
		for _, k := range pods[i].Spec.InitContainers {
			values = append(values, Value{k.Name, "init container"})
		}
	}
	return values
}
