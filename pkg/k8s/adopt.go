package k8s

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
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
		if metadata.Adoptable(m) {
			managers.Insert(m.Manager)
		}
	}
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(live, managers, metadata.ForgeManager)
	if err != nil || patch == nil {
		return Explain(err, "adopt %s", live.GetName())
	}
	_, err = c.PatchJSON(ctx, live, patch)
	return Explain(err, "adopt %s", live.GetName())
}

// PatchJSON changes one of forge's objects by a JSON patch (RFC 6902), and returns the new object.
func (c *Client) PatchJSON(ctx context.Context, live metadata.Object, patch []byte) (now metadata.Object, err error) {
	opts := c.patchOptions(metadata.ForgeManager)
	ns, name := live.GetNamespace(), live.GetName()
	switch live.(type) {
	case *appsv1.Deployment:
		now, err = c.apps.Deployments(ns).Patch(ctx, name, types.JSONPatchType, patch, opts)
	case *batchv1.CronJob:
		now, err = c.batch.CronJobs(ns).Patch(ctx, name, types.JSONPatchType, patch, opts)
	case *corev1.Service:
		now, err = c.core.Services(ns).Patch(ctx, name, types.JSONPatchType, patch, opts)
	case *corev1.PersistentVolumeClaim:
		now, err = c.core.PersistentVolumeClaims(ns).Patch(ctx, name, types.JSONPatchType, patch, opts)
	default:
		err = fmt.Errorf("norn does not manage objects of type %T", live)
	}
	return now, Explain(err, "change %s", name)
}
