package forge

import (
	"fmt"
	"slices"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// checkEnvironment returns an error if one of the app's objects belongs to another environment. It says so if objects
// from before the app had environments become those of the chosen one.
func (r *run) checkEnvironment() error {
	all := append(r.live.all(), r.live.dropped...)
	if r.live.function != nil {
		all = append(all, liveObject{"PodTemplate", r.live.function})
	}
	unmarked := 0
	for _, o := range all {
		if !metadata.IsOwned(o.object, r.spec.App) {
			continue
		}
		if err := objects.CheckEnvironment(o.kind, o.object, r.spec.Environment); err != nil {
			return err
		}
		if metadata.EnvironmentOf(o.object) == "" {
			unmarked++
		}
	}
	if unmarked > 0 && r.spec.Environment != "" {
		r.to.Report(pipeline.Event{Kind: pipeline.Warned, Step: CheckStep, Line: fmt.Sprintf(
			"%d of the objects of %s in namespace %s have no environment yet; they become those of environment %s",
			unmarked, r.spec.App, r.options.Namespace, r.spec.Environment)})
	}
	return nil
}

// checkEnvironment returns an error if one of the objects to delete belongs to another environment.
func (t *teardown) checkEnvironment() error {
	for _, o := range t.environmentObjects() {
		if err := objects.CheckEnvironment(o.kind, o.object, t.what.Environment); err != nil {
			return err
		}
	}
	return nil
}

// environmentObjects returns the objects to delete that have the label of an environment. Jobs do not have it.
func (t *teardown) environmentObjects() []liveObject {
	inv := *t.inventory
	inv.Jobs = nil
	return slices.Concat(
		workloadOf(&inv), t.routeObjects(), t.disruptions(), liveObjects(objects.KindService, inv.Services),
		liveObjects(objects.KindClaim, inv.Claims), t.storedObjects(),
	)
}
