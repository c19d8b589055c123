package forge

import (
	"context"
	"io"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/pipeline"
)

// RouteGrants returns the grants that an app with a route of a kind needs in its namespace. Without a kind, it returns
// none.
func RouteGrants(kind string) []Grant {
	verbs := append([]string{"delete"}, applyVerbs()...)
	switch kind {
	case objects.KindIngress:
		return []Grant{{Group: "networking.k8s.io", Resource: "ingresses", Verbs: verbs}}
	case objects.KindHTTPRoute:
		return []Grant{{Group: "gateway.networking.k8s.io", Resource: "httproutes", Verbs: verbs}}
	}
	return nil
}

// prunedRoutes returns the app's own routes of kinds that the infraspec does not need.
func (r *run) prunedRoutes() []liveObject {
	var pruned []liveObject
	for _, o := range r.live.routes() {
		if o.kind != objects.RouteKind(r.spec) {
			pruned = append(pruned, o)
		}
	}
	return pruned
}

// unlessNeeded returns a Func that removes a route of another kind, unless norn has not seen the new one work.
func (r *run) unlessNeeded(remove pipeline.Func[drift.Change]) pipeline.Func[drift.Change] {
	return func(ctx context.Context, out io.Writer) (drift.Change, pipeline.Result, error) {
		if !r.routeWorks {
			return drift.Change{}, pipeline.Result{
				State: pipeline.Skipped, Detail: "stays until a later forge has waited for the new route",
			}, nil
		}
		return remove(ctx, out)
	}
}

// checkRoutePruning returns a *PermissionError if the user cannot delete a route that the infraspec no longer names.
func (r *run) checkRoutePruning(ctx context.Context) error {
	for _, o := range r.prunedRoutes() {
		if err := CheckPermissions(ctx, r.cluster, Permissions(r.options.Namespace, RouteGrants(o.kind))); err != nil {
			return err
		}
	}
	return nil
}

// routeObjects returns the app's Ingresses and HTTPRoutes.
func (t *teardown) routeObjects() []liveObject {
	return append(liveObjects(objects.KindIngress, t.inventory.Ingresses),
		liveObjects(objects.KindHTTPRoute, t.inventory.HTTPRoutes)...)
}

// routes returns the step that deletes the app's Ingress or HTTPRoute. Most apps have none, so no step says that.
func (t *teardown) routes() []removeStep {
	all := t.routeObjects()
	if len(all) == 0 {
		return nil
	}
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		removed, err := t.deleteAll(ctx, out, all)
		return unlessFailed(deleted(kindsIn(removed), ""), err)
	}
	return []removeStep{{Name: "Route", Run: pipeline.Act(run), Plan: wouldDelete(kindsIn(all), "")}}
}
