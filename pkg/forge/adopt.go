package forge

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
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

// mark marks an object that forge has just applied as norn's. It marks an object of an earlier norn too.
func mark[T metadata.Object](ctx context.Context, r *run, o T, repository string) (T, error) {
	if r.dry {
		return o, nil
	}
	return k8s.MarkOwned(ctx, r.cluster, o, k8s.Mark{Repository: repository, Expires: r.expires})
}

// copies returns the objects that an adoption only marks, because forge does not write them: the app's Secrets and the
// version of a function app. They have the app's labels, but norn does not manage them, or they belong to another
// repository.
func (r *run) copies(ctx context.Context) ([]metadata.Object, error) {
	var found []metadata.Object
	for _, name := range []string{objects.SecretName(r.spec.App), objects.PreviousSecretName(r.spec.App)} {
		s, err := r.cluster.GetSecret(ctx, r.options.Namespace, name)
		if _, denied := errors.AsType[*k8s.DeniedError](err); denied || k8s.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	if r.live.function != nil {
		found = append(found, r.live.function)
	}
	return slices.DeleteFunc(found, func(o metadata.Object) bool {
		app := r.spec.App
		isOurs := metadata.IsOwned(o, app) && objects.CheckRepository(o, app, r.options.Repository) == nil
		return isOurs || !metadata.HasLabels(o, app)
	}), nil
}

// adoptSteps returns the steps that mark copies.
func (r *run) adoptSteps() []Step {
	var steps []Step
	for _, o := range r.unmarked {
		repository := ""
		if k8s.Kind(o) != objects.KindSecret {
			repository = r.options.Repository
		}
		change := func(r *run, ctx context.Context) (drift.Change, pipeline.Result, error) {
			_, err := mark(ctx, r, o, repository)
			return drift.Change{}, pipeline.Result{State: pipeline.Configured, Detail: "adopted"}, err
		}
		steps = append(steps, r.objectStep(k8s.Kind(o), o.GetName(), change))
	}
	return steps
}

// checkRepository returns a *objects.RepositoryError if one of the app's workloads belongs to another repository.
func (r *run) checkRepository() error {
	found := []metadata.Object{object(r.live.function)}
	for _, w := range r.live.workloads() {
		found = append(found, object(w.deployment), object(w.cronJob))
	}
	for _, w := range found {
		if w == nil || r.options.Adopt || !metadata.IsOwned(w, r.spec.App) {
			continue
		}
		if err := objects.CheckRepository(w, r.spec.App, r.options.Repository); err != nil {
			return err
		}
	}
	return nil
}

// typed is a pointer to an API object.
type typed[T any] interface {
	*T
	metadata.Object
}

// applyOrPlan applies conf. A dry run of an adoption calls plan instead, because the cluster does not record the
// adoption.
func applyOrPlan[T, C any, P typed[T]](
	ctx context.Context, r *run, live P, conf C, apply func(context.Context, C) (P, error),
) (P, error) {
	if r.dry && live != nil && !metadata.IsOwned(live, r.spec.App) {
		return plan(ctx, r, live, conf)
	}
	return apply(ctx, conf)
}

// plan returns what live becomes, by a dry run: first adopted, if norn does not manage it, and then with conf applied.
func plan[T any, P typed[T]](ctx context.Context, r *run, live P, conf any) (P, error) {
	patch, err := drift.Applied(live, conf, !metadata.IsOwned(live, r.spec.App))
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
