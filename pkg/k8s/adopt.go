package k8s

import (
	"context"

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
	on, err := c.callsFor(live)
	if err == nil {
		now, err = on.patch(ctx, types.JSONPatchType, patch, c.patchOptions(metadata.ForgeManager))
	}
	return now, Explain(err, "change %s", live.GetName())
}
