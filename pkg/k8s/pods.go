package k8s

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// GetPods lists an app's pods by its label.
func (c *Client) GetPods(ctx context.Context, ns, app string) ([]corev1.Pod, error) {
	l, err := c.core.Pods(ns).List(ctx, metav1.ListOptions{LabelSelector: selector(app)})
	if err != nil {
		return nil, explain(err, "list the pods of %s", app)
	}
	return l.Items, nil
}

// PodEvents lists what has happened to a pod, oldest first as the server keeps it.
func (c *Client) PodEvents(ctx context.Context, ns, pod string) ([]corev1.Event, error) {
	l, err := c.core.Events(ns).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=Pod,involvedObject.name=" + pod})
	if err != nil {
		return nil, explain(err, "list the events of pod %s", pod)
	}
	return l.Items, nil
}

// FindPod reads one pod of a namespace; it is nil where there is none. It takes no right beyond that of listing them.
func (c *Client) FindPod(ctx context.Context, ns, name string) (*corev1.Pod, error) {
	l, err := c.core.Pods(ns).List(ctx, metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", name).String()})
	if err != nil || len(l.Items) == 0 {
		return nil, explain(err, "read pod %s", name)
	}
	return &l.Items[0], nil
}
