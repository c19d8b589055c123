package k8s

import (
	"context"
	"fmt"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// GetPods lists an app's pods by its label.
func (c *Client) GetPods(ctx context.Context, ns, app string) ([]corev1.Pod, error) {
	l, err := c.core.Pods(ns).List(ctx, metav1.ListOptions{LabelSelector: appSelector(app)})
	if err != nil {
		return nil, Explain(err, "list the pods of %s", app)
	}
	return l.Items, nil
}

// PodEvents lists what has happened to a pod, oldest first as the server keeps it.
func (c *Client) PodEvents(ctx context.Context, ns, pod string) ([]corev1.Event, error) {
	l, err := c.core.Events(ns).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=Pod,involvedObject.name=" + pod})
	if err != nil {
		return nil, Explain(err, "list the events of pod %s", pod)
	}
	return l.Items, nil
}

// Listens reports whether a pod takes connections on a port, as the API server's proxy finds it. What answers may be no HTTP at all.
func (c *Client) Listens(ctx context.Context, ns, pod string, port int) (bool, error) {
	_, err := c.core.RESTClient().Get().Namespace(ns).Resource("pods").Name(fmt.Sprintf("%s:%d", pod, port)).SubResource("proxy").DoRaw(ctx)
	switch {
	case err == nil:
		return true, nil
	case apierrors.IsForbidden(err) && denied.MatchString(err.Error()), ctx.Err() != nil:
		return false, Explain(err, "reach port %d of pod %s", port, pod)
	}
	return !unreached.MatchString(err.Error()), nil
}

// unreached is how the API server says that its own connection to a pod came to nothing.
var unreached = regexp.MustCompile(`dial tcp|error trying to reach service: .*(?:timeout|no route)`)

// FindPod reads one pod of a namespace; it is nil where there is none. It takes no right beyond that of listing them.
func (c *Client) FindPod(ctx context.Context, ns, name string) (*corev1.Pod, error) {
	l, err := c.core.Pods(ns).List(ctx, metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", name).String()})
	if err != nil || len(l.Items) == 0 {
		return nil, Explain(err, "read pod %s", name)
	}
	return &l.Items[0], nil
}
