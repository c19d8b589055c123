package k8s

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/metadata"
)

// MarkOwned records in an object that norn made or adopted it, and its repository, unless that is "". It returns the
// new object, or o if it has these marks already. norn writes the marks apart from what the infraspec sets, so no later
// apply removes them. If somebody has replaced the object, MarkOwned returns o and an error; see IsConflict.
func MarkOwned[T metadata.Object](ctx context.Context, c *Client, o T, repository string) (T, error) {
	missing := map[string]any{}
	if uid := string(o.GetUID()); o.GetAnnotations()[metadata.UIDAnnotation] != uid {
		missing[metadata.UIDAnnotation] = uid
	}
	if repository != "" && metadata.Repository(o) != repository {
		missing[metadata.RepositoryAnnotation] = repository
	}
	if len(missing) == 0 {
		return o, nil
	}
	if o.GetAnnotations()[metadata.RepositoryAnnotation] == missing[metadata.RepositoryAnnotation] {
		// Somebody else wrote the same value. Its field manager changes only if the value does.
		removed, err := annotate(ctx, c, o, map[string]any{metadata.RepositoryAnnotation: nil})
		if err != nil {
			return o, err
		}
		o = removed
	}
	return annotate(ctx, c, o, missing)
}

// annotate merges annotations into an object's, and returns the new object.
func annotate[T metadata.Object](ctx context.Context, c *Client, o T, annotations map[string]any) (T, error) {
	on, err := c.callsFor(o)
	if err != nil {
		return o, err
	}
	// With a uid, the API server refuses to change another object of that name.
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": o.GetUID(), "annotations": annotations}})
	if err != nil {
		return o, fmt.Errorf("mark %s %s: %w", Kind(o), o.GetName(), err)
	}
	made, err := on.patch(ctx, types.MergePatchType, patch, c.patchOptions(metadata.ForgeManager))
	if err != nil {
		return o, Explain(err, "mark %s %s", Kind(o), o.GetName())
	}
	now, ok := made.(T)
	if !ok {
		return o, fmt.Errorf("mark %s %s: got a %T", Kind(o), o.GetName(), made)
	}
	return now, nil
}
