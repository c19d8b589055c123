package complete

import (
	"context"
)

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
