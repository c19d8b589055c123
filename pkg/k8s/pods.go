package k8s

import (
	"context"
	"io"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GetPods lists an app's pods by its label.
func (c *Client) GetPods(ctx context.Context, ns, app string) ([]corev1.Pod, error) {
	l, err := c.core.Pods(ns).List(ctx, metav1.ListOptions{LabelSelector: selector(app)})
	if err != nil {
		return nil, explain(err, "list the pods of %s", app)
	}
	return l.Items, nil
}

// StreamLogs opens one container's log; with Follow in opts it goes on until the container ends or ctx does.
func (c *Client) StreamLogs(ctx context.Context, ns, pod string, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	s, err := c.core.Pods(ns).GetLogs(pod, opts).Stream(ctx)
	return s, explain(err, "read the log of pod %s", pod)
}

// PodEvents lists what has happened to a pod, oldest first as the server keeps it.
func (c *Client) PodEvents(ctx context.Context, ns, pod string) ([]corev1.Event, error) {
	l, err := c.core.Events(ns).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=Pod,involvedObject.name=" + pod})
	if err != nil {
		return nil, explain(err, "list the events of pod %s", pod)
	}
	return l.Items, nil
}
