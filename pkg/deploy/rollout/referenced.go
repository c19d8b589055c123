package rollout

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// hideReferenced hides the values that the Pods of the Deployment, before and after the change, get from Secrets that
// norn does not manage. Others may change those Secrets at any time, so hideReferenced must run shortly before norn
// shows what Pods print. It warns about a Secret that the user is not allowed to read.
func (r *runner) hideReferenced(ctx context.Context) error {
	if r.Redactor == nil {
		return nil
	}
	var refs []infraspec.SecretReference
	for _, d := range []*appsv1.Deployment{r.before, r.applied} {
		if d != nil {
			refs = append(refs, objects.Referenced(d.Spec.Template.ObjectMeta, d.Spec.Template.Spec)...)
		}
	}
	if len(refs) == 0 {
		return nil
	}
	read, err := forge.ReadReferenced(ctx, r.cluster, r.Namespace, refs)
	if err != nil {
		return fmt.Errorf("cannot hide the values of the Secrets that the Pods use: %w", err)
	}
	read.Hide(refs, r.Redactor.Hide)
	for _, line := range read.NotHidden() {
		pipeline.Warn(r.out, "%s", line)
	}
	return nil
}
