package doctor

import (
	"context"
	"slices"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// hasClaims reports whether the app has volumes whose data is in a claim.
func hasClaims(spec *infraspec.Spec) bool {
	return slices.ContainsFunc(spec.Volumes, func(v infraspec.Volume) bool { return v.HostPath == "" })
}

// volumes checks that no claim of the app is being deleted, because its data is deleted when its last Pod ends.
func (e *examination) volumes(ctx context.Context) Verdict {
	claims, err := e.client.ListPVCs(ctx, e.Config.Namespace, e.spec.App)
	switch {
	case is[*k8s.DeniedError](err):
		return skipped("the user cannot list claims (see permissions)")
	case err != nil:
		return problem(pipeline.HintOf(err), "%s", err)
	}
	for _, c := range claims {
		if t := c.DeletionTimestamp; t != nil {
			deletion := &objects.ClaimDeletionError{App: e.spec.App, Claim: c.Name, Volume: c.Spec.VolumeName, Since: t.Time}
			return problem(deletion.Hint(), "%s", deletion)
		}
	}
	return ok("no PersistentVolumeClaim of %s is being deleted", e.spec.App)
}
