package status

import (
	"cmp"
	"fmt"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// environmentOf returns the environment that an app's workload in the cluster belongs to, or "". A nil inventory has no
// workload.
func environmentOf(inv *k8s.Inventory, app string) string {
	if inv == nil {
		return ""
	}
	if d := find(inv.Deployments, app, app); d != nil {
		return metadata.EnvironmentOf(d)
	}
	if c := find(inv.CronJobs, app, app); c != nil {
		return metadata.EnvironmentOf(c)
	}
	if t := find(inv.PodTemplates, app, app); t != nil {
		return metadata.EnvironmentOf(t)
	}
	return ""
}

// compared returns the infraspec of the environment that the app's objects belong to. If norn does not know that
// environment, or it is not the chosen one, compared returns why it cannot compare the objects with the infraspec.
func compared(l Local, actual string) (spec *infraspec.Spec, why string) {
	switch {
	case l.Spec == nil:
		return nil, ""
	case actual == "" && l.Environment == "" && len(l.Spec.Environments) > 0:
		return nil, "its objects belong to no environment, and none is chosen with --env, so norn does not compare them"
	case actual != "" && l.Environment != "" && actual != l.Environment:
		return nil, fmt.Sprintf("its objects belong to environment %s, not %s", actual, l.Environment)
	}
	spec, err := l.Spec.In(cmp.Or(actual, l.Environment))
	if err != nil {
		return nil, fmt.Sprintf("its objects belong to environment %s, which the infraspec does not have", actual)
	}
	return spec, ""
}
