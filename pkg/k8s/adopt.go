package k8s

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"

	"norn/pkg/k8s/metadata"
)

// Adopt makes forge the owner of all fields of an object, except for fields that controllers wrote. The next apply can
// then remove fields that the infraspec does not set (kubernetes.io: Server-Side Apply, Upgrading from client-side
// apply).
func (c *Client) Adopt(ctx context.Context, live metadata.Object) error {
	managers := sets.New[string]()
	for _, m := range live.GetManagedFields() {
		if m.Operation == metav1.ManagedFieldsOperationUpdate && m.Subresource == "" &&
			!strings.HasPrefix(m.Manager, "kube-") {
			managers.Insert(m.Manager)
		}
	}
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(live, managers, metadata.ForgeManager)
	if err != nil || patch == nil {
		return Explain(err, "adopt %s", live.GetName())
	}
	opts := c.patchOptions(metadata.ForgeManager)
	ns, name := live.GetNamespace(), live.GetName()
	switch live.(type) {
	case *appsv1.Deployment:
		_, err = c.apps.Deployments(ns).Patch(ctx, name, types.JSONPatchType, patch, opts)
	case *batchv1.CronJob:
		_, err = c.batch.CronJobs(ns).Patch(ctx, name, types.JSONPatchType, patch, opts)
	case *corev1.Service:
		_, err = c.core.Services(ns).Patch(ctx, name, types.JSONPatchType, patch, opts)
	case *corev1.PersistentVolumeClaim:
		_, err = c.core.PersistentVolumeClaims(ns).Patch(ctx, name, types.JSONPatchType, patch, opts)
	default:
		err = fmt.Errorf("norn does not manage objects of type %T", live)
	}
	return Explain(err, "adopt %s", name)
}
