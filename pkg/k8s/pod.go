package k8s

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"norn/pkg/k8s/metadata"
)

// GetPods lists the pods of a workload by their label: the app's name, or that of its process's workload.
func (c *Client) GetPods(ctx context.Context, ns, app string) ([]corev1.Pod, error) {
	l, err := c.core.Pods(ns).List(ctx, metav1.ListOptions{LabelSelector: appSelector(app)})
	if err != nil {
		return nil, Explain(err, "list the Pods of %s", app)
	}
	return l.Items, nil
}

// ProcessPods lists the Pods of an app's processes other than the main one.
func (c *Client) ProcessPods(ctx context.Context, ns, app string) ([]corev1.Pod, error) {
	only := metadata.InstanceLabel + "=" + app + "," + metadata.ProcessLabel
	l, err := c.core.Pods(ns).List(ctx, metav1.ListOptions{LabelSelector: only})
	if err != nil {
		return nil, Explain(err, "list the Pods of the processes of %s", app)
	}
	return l.Items, nil
}

// PodEvents lists a pod's events, oldest first, as the server stores them.
func (c *Client) PodEvents(ctx context.Context, ns, pod string) ([]corev1.Event, error) {
	about := "involvedObject.kind=Pod,involvedObject.name=" + pod
	l, err := c.core.Events(ns).List(ctx, metav1.ListOptions{FieldSelector: about})
	if err != nil {
		return nil, Explain(err, "list the events of Pod %s", pod)
	}
	return l.Items, nil
}

// Listens reports whether a Pod accepts connections on a port. It sends a request through the API server's proxy, but
// the Pod need not speak HTTP.
func (c *Client) Listens(ctx context.Context, ns, pod string, port int) (bool, error) {
	proxied := c.core.RESTClient().Get().Namespace(ns).
		Resource("pods").Name(fmt.Sprintf("%s:%d", pod, port)).SubResource("proxy")
	_, err := c.askPod(ctx, proxied, "/")
	switch {
	case err == nil:
		return true, nil
	case isDenied(err), ctx.Err() != nil:
		return false, Explain(err, "connect to port %d of Pod %s", port, pod)
	}
	return !unreached.MatchString(err.Error()), nil
}

// unreached matches the API server's message when it could not connect to a pod. A pod's own error can have the same
// status code (k8s.io/apimachinery/pkg/util/proxy).
var unreached = regexp.MustCompile(`dial tcp|error trying to reach service: .*(?:timeout|no route)`)

// FindPod reads a pod, or returns nil if it does not exist. It needs only the permission to list pods.
func (c *Client) FindPod(ctx context.Context, ns, name string) (*corev1.Pod, error) {
	named := fields.OneTermEqualSelector("metadata.name", name).String()
	l, err := c.core.Pods(ns).List(ctx, metav1.ListOptions{FieldSelector: named})
	if err != nil || len(l.Items) == 0 {
		return nil, Explain(err, "read Pod %s", name)
	}
	return &l.Items[0], nil
}

// PodsMounting returns the names of the scheduled Pods that mount a PersistentVolumeClaim and have not ended. Only
// these keep the claim from being deleted.
func (c *Client) PodsMounting(ctx context.Context, ns, claim string) ([]string, error) {
	l, err := c.core.Pods(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, Explain(err, "list the Pods in namespace %s", ns)
	}
	var names []string
	for _, p := range l.Items {
		ended := p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
		mounts := func(v corev1.Volume) bool {
			return v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == claim
		}
		if !ended && p.Spec.NodeName != "" && slices.ContainsFunc(p.Spec.Volumes, mounts) {
			names = append(names, p.Name)
		}
	}
	return names, nil
}
