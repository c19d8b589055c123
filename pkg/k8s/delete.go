package k8s

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"norn/pkg/k8s/metadata"
)

// ForeignError reports an object that has norn's labels but that norn does not manage, such as a copy.
type ForeignError struct {
	Kind, Name string
	Changed    bool // norn managed it until somebody replaced or changed it
}

// Error names the object.
func (e *ForeignError) Error() string { return fmt.Sprintf("%s %s %s", e.Kind, e.Name, e.Why()) }

// Why returns why norn leaves the object alone.
func (e *ForeignError) Why() string {
	if e.Changed {
		return "was replaced or changed in the meantime, and norn no longer manages it: left alone"
	}
	return "has norn's labels, but norn did not make it: left alone"
}

// deleteAttempts is how often Delete tries to delete an object that changes all the time.
const deleteAttempts = 10

// Delete deletes an object that norn manages, and the objects that it owns. If norn does not manage the object, or
// somebody has replaced it since it was read, the error is a *ForeignError. A missing object is not an error.
//
// Delete tells the API server which state of the object it has read. Before the deletion arrives, somebody may replace
// the object, or remove norn's labels from it to keep it. If something else has changed, such as the status, Delete
// reads the object again.
func (c *Client) Delete(ctx context.Context, o metadata.Object) error {
	on, err := c.callsFor(o)
	app, seen := o.GetLabels()[metadata.AppLabel], o
	for try := 1; err == nil; try++ {
		if !metadata.IsOwned(seen, app) || seen.GetUID() != o.GetUID() {
			return &ForeignError{Kind(o), o.GetName(), seen != o}
		}
		err = on.delete(ctx, c.deleteOptions(seen))
		if IsConflict(err) && try < deleteAttempts {
			if seen, err = on.get(ctx); err == nil && seen.GetDeletionTimestamp() != nil && seen.GetUID() == o.GetUID() {
				return nil
			}
			continue
		}
		break
	}
	if IsNotFound(err) {
		return nil
	}
	return Explain(err, "delete %s %s", Kind(o), o.GetName())
}

// deleteOptions returns the options for deleting an object in the state that was read. Deletion is in the foreground,
// so the object disappears from the API only after its dependents. Nothing waits for the Pod of a Job. Secrets, Pods
// and routes, which have no dependents, disappear at once instead of when the garbage collector has seen them.
func (c *Client) deleteOptions(o metadata.Object) metav1.DeleteOptions {
	propagation := metav1.DeletePropagationForeground
	switch o.(type) {
	case *batchv1.Job, *corev1.Secret, *corev1.Pod, *networkingv1.Ingress, *unstructured.Unstructured:
		propagation = metav1.DeletePropagationBackground
	}
	uid, version := o.GetUID(), o.GetResourceVersion()
	return metav1.DeleteOptions{
		PropagationPolicy: &propagation,
		Preconditions:     &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
		DryRun:            c.dryRun,
	}
}
