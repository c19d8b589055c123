package k8s

import (
	"context"
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"norn/pkg/k8s/metadata"
)

// environmentSelector selects the objects that norn manages and that belong to an environment.
const environmentSelector = managedSelector + "," + metadata.EnvironmentLabel

// InEnvironments returns the objects in a namespace that norn manages and that belong to an environment, of all apps.
// If ns is "", it returns those of all namespaces. Of Secrets, it reads only the metadata. Secrets, routes
// and PodDisruptionBudgets are missing if the user cannot list them.
func (c *Client) InEnvironments(ctx context.Context, ns string) ([]metadata.Object, error) {
	only := metav1.ListOptions{LabelSelector: environmentSelector}
	where := inNamespace(ns)
	var unlisted [2]bool
	var found [9][]metadata.Object
	err := together(
		list(ctx, c.apps.Deployments(ns), only, "the Deployments "+where,
			func(l *appsv1.DeploymentList) { found[0] = ownedObjects(l.Items) }),
		list(ctx, c.batch.CronJobs(ns), only, "the CronJobs "+where,
			func(l *batchv1.CronJobList) { found[1] = ownedObjects(l.Items) }),
		list(ctx, c.core.PodTemplates(ns), only, "the PodTemplates "+where,
			func(l *corev1.PodTemplateList) { found[2] = ownedObjects(l.Items) }),
		list(ctx, c.core.Services(ns), only, "the Services "+where,
			func(l *corev1.ServiceList) { found[3] = ownedObjects(l.Items) }),
		list(ctx, c.core.PersistentVolumeClaims(ns), only, "the PersistentVolumeClaims "+where,
			func(l *corev1.PersistentVolumeClaimList) { found[4] = ownedObjects(l.Items) }),
		ifAllowed(list(ctx, c.policy.PodDisruptionBudgets(ns), only, "the PodDisruptionBudgets "+where,
			func(l *policyv1.PodDisruptionBudgetList) { found[5] = ownedObjects(l.Items) })),
		ifAllowed(list(ctx, secretMetadata{c, ns}, only, "the Secrets "+where,
			func(l *metav1.PartialObjectMetadataList) { found[6] = ownedObjects(l.Items) })),
		optional(list(ctx, c.networking.Ingresses(ns), only, "the Ingresses "+where,
			func(l *networkingv1.IngressList) { found[7] = ownedObjects(l.Items) }), &unlisted[0]),
		optional(list(ctx, c.httpRoutes(ns), only, "the HTTPRoutes "+where,
			func(l *unstructured.UnstructuredList) { found[8] = ownedObjects(l.Items) }), &unlisted[1]),
	)
	if err != nil {
		return nil, err
	}
	var all []metadata.Object
	for _, kind := range found {
		all = append(all, kind...)
	}
	return all, nil
}

// ownedObjects returns the items that norn manages.
func ownedObjects[T any, P object[T]](items []T) []metadata.Object {
	var out []metadata.Object
	for i := range items {
		if o := P(&items[i]); metadata.IsOwned(o, o.GetLabels()[metadata.AppLabel]) {
			out = append(out, o)
		}
	}
	return out
}

// secretMetadata lists the metadata of the Secrets in a namespace. The API server sends no values (kubernetes.io:
// Kubernetes API Concepts, Metadata-only fetches).
type secretMetadata struct {
	client *Client
	ns     string
}

// List implements lister.
func (s secretMetadata) List(ctx context.Context, o metav1.ListOptions) (*metav1.PartialObjectMetadataList, error) {
	const metadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
	request := s.client.core.RESTClient().Get().Resource("secrets").SetHeader("Accept", metadataOnly).
		Param("labelSelector", o.LabelSelector)
	if s.ns != "" {
		request = request.Namespace(s.ns)
	}
	answer := request.Do(ctx)
	if err := answer.Error(); err != nil { // Raw's error would not say why
		return nil, err
	}
	data, err := answer.Raw()
	if err != nil {
		return nil, err
	}
	var all metav1.PartialObjectMetadataList
	return &all, json.Unmarshal(data, &all)
}
