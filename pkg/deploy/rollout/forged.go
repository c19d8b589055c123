package rollout

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
)

// revertForge restores the number of Pods and the strategy from before forge changed them. It
// leaves a field alone that somebody else has changed since. It returns a *ChangedError if that is the Pod template.
func (r *runner) revertForge(ctx context.Context, live *appsv1.Deployment) (*appsv1.Deployment, error) {
	if r.Forged == nil {
		return live, nil
	}
	before, forged, now := r.Forged.Before.Spec, r.Forged.After.Spec, live.Spec.DeepCopy()
	var changed []string
	if same(now.Replicas, forged.Replicas) && !same(now.Replicas, before.Replicas) {
		now.Replicas = before.Replicas
		changed = append(changed, fmt.Sprintf("replicas %d", *before.Replicas))
	}
	if same(now.Strategy, forged.Strategy) && !same(now.Strategy, before.Strategy) {
		now.Strategy = before.Strategy
		changed = append(changed, fmt.Sprintf("strategy %s", before.Strategy.Type))
	}
	if len(changed) == 0 {
		return live, nil
	}
	_, _ = fmt.Fprintf(r.out, "Deployment %s has the previous %s again\n", live.Name, strings.Join(changed, " and "))
	scaled, err := r.cluster.RestoreScale(ctx, live, *now)
	if err == nil {
		err = CheckUnchanged(live, scaled)
	}
	return scaled, err
}

func same(a, b any) bool { return reflect.DeepEqual(a, b) }
