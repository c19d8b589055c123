package k8s

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
)

// CreatePod creates a Pod under a name that only this run uses. The error of a Pod that the API server refuses is also
// one for Refusal.
func (c *Client) CreatePod(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	p, err := createOnce(ctx, c.core.Pods(pod.Namespace), pod, c.createOptions())
	return p, Explain(err, "create Pod %s", pod.Name)
}

func verifyPods(app string) metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: managedSelector + "," + metadata.VerifiesLabel + "=" + app}
}

// VerifyPods lists the Pods that verify examines for an app. Between deploys, there is one only if norn was killed.
func (c *Client) VerifyPods(ctx context.Context, ns, app string) ([]corev1.Pod, error) {
	l, err := c.core.Pods(ns).List(ctx, verifyPods(app))
	if err != nil {
		return nil, Explain(err, "list the Pods of %s", app)
	}
	return owned(l.Items, nil), nil
}

// ObservePod observes a Pod of an app that no controller owns, like Observe. made is the Pod as it was sent to the API
// server.
func (c *Client) ObservePod(ctx context.Context, app string, made *corev1.Pod,
	see func(rollout.Observation) (done bool, err error)) error {
	ns := made.Namespace
	named := fields.OneTermEqualSelector("metadata.name", made.Name).String()
	if _, err := c.core.Pods(ns).List(ctx, metav1.ListOptions{FieldSelector: named}); err != nil {
		return Explain(err, "watch Pod %s", made.Name) // a reflector would silently retry a denied request
	}
	w, stop := newWatches(ctx)
	defer stop()
	pods := w.reflect(c.core.RESTClient(), "pods", ns, &corev1.Pod{}, func(o *metav1.ListOptions) {
		o.FieldSelector = named
	})
	claims, events := c.watchIfAllowed(w, ns, app, concern(made.Name))
	nodes := c.watchNodes(w, pods)
	w.notifyEvery(observeInterval)
	return w.each(ctx, []*changeStore{pods}, func() (bool, error) {
		o := rollout.Observation{
			Claims: all[corev1.PersistentVolumeClaim](claims), Events: all[corev1.Event](events),
			Nodes: nodes.get(), At: time.Now(),
		}
		var now *corev1.Pod
		if found := all[corev1.Pod](pods); len(found) > 0 {
			now = found[0]
		}
		return see(o.OfPod(app, made, now))
	})
}
