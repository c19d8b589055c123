package forge

import (
	"context"
	"fmt"
	"time"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// Expiry returns when a preview expires whose objects norn makes now, by the API server's clock. It returns zero if the
// infraspec is not that of a preview.
func Expiry(ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec) (time.Time, error) {
	ttl := spec.TTL()
	if ttl == 0 {
		return time.Time{}, nil
	}
	now, err := cluster.Now(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("find out when %s expires: %w", spec.Environment, err)
	}
	return now.Add(ttl), nil
}

// Renew marks the workloads of a preview with a new time at which it expires, for a deploy that changes no other
// objects.
func Renew(ctx context.Context, cluster *k8s.Client, ns string, spec *infraspec.Spec) error {
	expires, err := Expiry(ctx, cluster, spec)
	if err != nil || expires.IsZero() {
		return err
	}
	inv, err := cluster.Inventory(ctx, ns, spec.App)
	if err != nil {
		return err
	}
	for _, o := range workloadOf(inv) {
		if metadata.EnvironmentOf(o.object) != spec.Environment { // a Job, which ends by itself
			continue
		}
		if _, err := k8s.MarkOwned(ctx, cluster, o.object, k8s.Mark{Expires: expires}); err != nil {
			return err
		}
	}
	return nil
}
