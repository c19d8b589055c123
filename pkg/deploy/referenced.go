package deploy

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// readReferenced returns the values of the infraspec's references, by the names of its secrets, and hides them in
// output. It returns an error if a Secret or a key does not exist, and warns if the user is not allowed to read it.
func (r *run) readReferenced(ctx context.Context, out io.Writer) (map[string]secrets.Value, error) {
	values, read, err := r.secret.referenced(ctx)
	if err != nil {
		return nil, err
	}
	for _, line := range read.NotChecked() {
		pipeline.Warn(out, "%s", line)
	}
	_, known := values[infraspec.DatabaseURL]
	if _, ok := r.spec.Reference(infraspec.DatabaseURL); ok && !known && Dumps(r.spec) && !r.options.SkipSnapshot {
		return nil, read.Denied[0] // the snapshot needs it
	}
	return values, nil
}

// mustReadReferenced is readReferenced for a caller that needs the values.
func (a appSecret) mustReadReferenced(ctx context.Context) (map[string]secrets.Value, error) {
	values, read, err := a.referenced(ctx)
	if err == nil && len(read.Denied) > 0 {
		err = read.Denied[0]
	}
	return values, err
}

// referenced reads the Secrets that the infraspec refers to, and hides the values. It returns a
// *forge.MissingReferenceError if a Secret or a key does not exist.
func (a appSecret) referenced(ctx context.Context) (map[string]secrets.Value, forge.Referenced, error) {
	refs := a.spec.References()
	read, err := forge.ReadReferenced(ctx, a.cluster, a.namespace, refs)
	if err != nil {
		return nil, read, err
	}
	read.Hide(refs, a.hide)
	values := map[string]secrets.Value{}
	for _, ref := range refs {
		if s := read.Secrets[ref.Secret]; s != nil {
			values[ref.Name] = secrets.NewValue(string(s.Data[ref.Key]))
		}
	}
	return values, read, read.Check(a.namespace, refs)
}

// hideReferenced hides the present values of the infraspec's references. Others may have changed them since the deploy
// began. It reports whether what the Pods print can be shown.
func (r *run) hideReferenced(ctx context.Context, out io.Writer) bool {
	refs := r.spec.References()
	if len(refs) == 0 {
		return true
	}
	read, err := forge.ReadReferenced(ctx, r.cluster, r.options.Namespace, refs)
	if err != nil {
		pipeline.Warn(out, "the output is not shown, because its secret values cannot be hidden: %v", err)
		return false
	}
	read.Hide(refs, r.secret.hide)
	return true
}

// checkReferenced returns an error if the Pods of a part of a release could not start because a Secret that norn does
// not manage, or a key of it, no longer exists.
func (a appSecret) checkReferenced(ctx context.Context, of k8s.Revision, part *appsv1.ReplicaSet) error {
	refs := objects.Referenced(part.Spec.Template.ObjectMeta, part.Spec.Template.Spec)
	refs = slices.DeleteFunc(refs, func(ref infraspec.SecretReference) bool { return ref.Key == "" })
	read, err := forge.ReadReferenced(ctx, a.cluster, a.namespace, refs)
	if err != nil {
		return err
	}
	read.Hide(refs, a.hide)
	var missing []string
	for _, m := range read.Missing(refs) {
		missing = append(missing, m.String())
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return &pipeline.UsageError{
		Problem: fmt.Sprintf("cannot roll back to %s: its Pods could not start: %s", rollout.Describe(of),
			strings.Join(slices.Compact(missing), "; ")),
		Advice: "create the Secret again, or choose another revision with --to",
	}
}
