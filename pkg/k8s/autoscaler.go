package k8s

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// Autoscaler returns what sets a Deployment's replicas, in words, or "" if nothing does. A field manager that once
// scaled the Deployment counts only while a HorizontalPodAutoscaler targets it, or if the user cannot list these.
// KEDA's scalers work through one too (keda.sh: Scaling Deployments).
func (c *Client) Autoscaler(ctx context.Context, d *appsv1.Deployment) string {
	manager := metadata.Scaler(d)
	if manager == "" {
		return ""
	}
	list, err := c.autoscalers(ctx, d.Namespace)
	if err != nil {
		return fmt.Sprintf("%s (norn cannot list HorizontalPodAutoscalers)", manager)
	}
	var names []string
	for i := range list {
		if targets(&list[i], d) {
			names = append(names, list[i].Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "HorizontalPodAutoscaler " + strings.Join(names, ", ")
}

// autoscalers lists a namespace's HorizontalPodAutoscalers.
func (c *Client) autoscalers(ctx context.Context, ns string) ([]autoscalingv2.HorizontalPodAutoscaler, error) {
	var list autoscalingv2.HorizontalPodAutoscalerList
	err := c.apps.RESTClient().Get().
		AbsPath("/apis/autoscaling/v2/namespaces", ns, "horizontalpodautoscalers").Do(ctx).Into(&list)
	return list.Items, Explain(err, "list the HorizontalPodAutoscalers in namespace %s", ns)
}

func targets(h *autoscalingv2.HorizontalPodAutoscaler, d *appsv1.Deployment) bool {
	target := h.Spec.ScaleTargetRef
	return target.Kind == "Deployment" && target.Name == d.Name && h.Namespace == d.Namespace
}

// forgetStaleScalers removes from the given Deployments of a namespace the managed fields of scalers that are gone, so
// that their replicas count as nobody's. It changes nothing in the cluster.
func (c *Client) forgetStaleScalers(ctx context.Context, ns string, deployments ...*appsv1.Deployment) {
	scaled := slices.DeleteFunc(deployments, func(d *appsv1.Deployment) bool { return metadata.Scaler(d) == "" })
	if len(scaled) == 0 {
		return
	}
	list, err := c.autoscalers(ctx, ns)
	if err != nil { // the scaler may be there
		return
	}
	for _, d := range scaled {
		kept := func(h autoscalingv2.HorizontalPodAutoscaler) bool { return targets(&h, d) }
		if !slices.ContainsFunc(list, kept) {
			d.ManagedFields = slices.DeleteFunc(d.ManagedFields, func(m metav1.ManagedFieldsEntry) bool {
				return m.Subresource == "scale"
			})
		}
	}
}
