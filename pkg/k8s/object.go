package k8s

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/metadata"
)

// Kind returns the kind of an object, such as Deployment. The objects in an API server's answer do not have it.
func Kind(o metadata.Object) string {
	switch o := o.(type) {
	case *unstructured.Unstructured:
		return o.GetKind()
	case *networkingv1.Ingress:
		return "Ingress"
	case *appsv1.Deployment:
		return "Deployment"
	case *batchv1.CronJob:
		return "CronJob"
	case *batchv1.Job:
		return "Job"
	case *corev1.Service:
		return "Service"
	case *corev1.PersistentVolumeClaim:
		return "PersistentVolumeClaim"
	case *corev1.PodTemplate:
		return "PodTemplate"
	case *corev1.Secret:
		return "Secret"
	case *corev1.Pod:
		return "Pod"
	case *policyv1.PodDisruptionBudget:
		return "PodDisruptionBudget"
	}
	return fmt.Sprintf("%T", o)
}

// calls are the calls for one object, whatever its kind is.
type calls struct {
	get    func(context.Context) (metadata.Object, error)
	patch  func(context.Context, types.PatchType, []byte, metav1.PatchOptions) (metadata.Object, error)
	delete func(context.Context, metav1.DeleteOptions) error
}

// callsFor returns the calls for an object.
func (c *Client) callsFor(o metadata.Object) (calls, error) {
	ns, name := o.GetNamespace(), o.GetName()
	switch o.(type) {
	case *appsv1.Deployment:
		return callsOf(c.apps.Deployments(ns), name), nil
	case *batchv1.CronJob:
		return callsOf(c.batch.CronJobs(ns), name), nil
	case *batchv1.Job:
		return callsOf(c.batch.Jobs(ns), name), nil
	case *corev1.Service:
		return callsOf(c.core.Services(ns), name), nil
	case *corev1.PersistentVolumeClaim:
		return callsOf(c.core.PersistentVolumeClaims(ns), name), nil
	case *corev1.PodTemplate:
		return callsOf(c.core.PodTemplates(ns), name), nil
	case *corev1.Secret:
		return callsOf(c.core.Secrets(ns), name), nil
	case *corev1.Pod:
		return callsOf(c.core.Pods(ns), name), nil
	case *policyv1.PodDisruptionBudget:
		return callsOf(c.policy.PodDisruptionBudgets(ns), name), nil
	case *networkingv1.Ingress:
		return callsOf(c.networking.Ingresses(ns), name), nil
	case *unstructured.Unstructured: // norn manages HTTPRoutes only
		return callsOf(c.httpRoutes(ns), name), nil
	}
	return calls{}, fmt.Errorf("norn does not manage objects of type %T", o)
}

// kindClient has the methods of the typed clients that all kinds share.
type kindClient[T metadata.Object] interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (T, error)
	Patch(ctx context.Context, name string, kind types.PatchType, data []byte, opts metav1.PatchOptions,
		subresources ...string) (T, error)
	Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error
}

func callsOf[T metadata.Object](client kindClient[T], name string) calls {
	return calls{
		get: func(ctx context.Context) (metadata.Object, error) { return client.Get(ctx, name, metav1.GetOptions{}) },
		patch: func(ctx context.Context, kind types.PatchType, data []byte, o metav1.PatchOptions) (metadata.Object, error) {
			return client.Patch(ctx, name, kind, data, o)
		},
		delete: func(ctx context.Context, o metav1.DeleteOptions) error { return client.Delete(ctx, name, o) },
	}
}
