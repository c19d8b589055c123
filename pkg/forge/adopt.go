package forge

import (
	"context"
	"fmt"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s/metadata"
)

// adopt takes over an object that norn does not manage yet. checkConflicts must have allowed it.
func (r *run) adopt(ctx context.Context, kind string, o metadata.Object) (string, error) {
	if o == nil || objects.CheckOwner(kind, o, r.spec.App) == nil {
		return "", nil
	}
	if err := r.cluster.Adopt(ctx, o); err != nil {
		return "", err
	}
	return "adopted", nil
}

// typed is a pointer to an API object.
type typed[T any] interface {
	*T
	metadata.Object
}

// applyOrPlan applies conf. A dry run of an adoption calls plan instead, because the cluster does not have the
// adoption.
func applyOrPlan[T, C any, P typed[T]](
	ctx context.Context, r *run, live P, conf C, apply func(context.Context, C) (P, error),
) (P, error) {
	if r.dry && live != nil && !objects.IsOwned(live, r.spec.App) {
		return plan(ctx, r, live, conf)
	}
	return apply(ctx, conf)
}

// plan returns what live becomes, by a dry run: first adopted, if norn does not manage it, and then with conf applied.
func plan[T any, P typed[T]](ctx context.Context, r *run, live P, conf any) (P, error) {
	patch, err := drift.Applied(live, conf, !objects.IsOwned(live, r.spec.App))
	if err != nil {
		return nil, err
	}
	now, err := r.cluster.PatchJSON(ctx, live, patch)
	if err != nil {
		return nil, err
	}
	made, ok := now.(P)
	if !ok {
		return nil, fmt.Errorf("plan the change of %s: got a %T", live.GetName(), now)
	}
	return made, nil
}
