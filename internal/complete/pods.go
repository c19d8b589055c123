package complete

import (
	"context"

	corev1 "k8s.io/api/core/v1"
)

// podsOf lists the Pods of all processes of an app.
func podsOf(ctx context.Context, c Cluster, ns, app string) []corev1.Pod {
	pods, _ := c.GetPods(ctx, ns, app)
	others, _ := c.ProcessPods(ctx, ns, app)
	return append(pods, others...)
}

// Pods returns the Pods of an app.
func Pods(ctx context.Context, c Cluster, ns, app string) []Value {
	pods := podsOf(ctx, c, ns, app)
	values := make([]Value, 0, len(pods))
	for i := range pods {
		p := &pods[i]
		values = append(values, Value{p.Name, string(p.Status.Phase) + ", " + ago(p.CreationTimestamp.Time)})
	}
	return values
}

// Containers returns the containers of an app's Pods.
func Containers(ctx context.Context, c Cluster, ns, app string) []Value {
	pods := podsOf(ctx, c, ns, app)
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
