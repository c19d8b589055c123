package k8s

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/metadata"
)

// Mark is what norn records in an object that it made or adopted, in addition to that.
type Mark struct {
	Repository string    // of the app, or "" to record none
	Expires    time.Time // when the preview expires, or zero if the app is not a preview
}

// MarkOwned records in an object that norn made or adopted it, and the mark. It returns the new object, or o if it has
// these marks already. norn writes the marks apart from what the infraspec sets, so no later apply removes them. If
// somebody has replaced the object, MarkOwned returns o and an error; see IsConflict.
func MarkOwned[T metadata.Object](ctx context.Context, c *Client, o T, m Mark) (T, error) {
	missing := map[string]any{}
	if uid := string(o.GetUID()); o.GetAnnotations()[metadata.UIDAnnotation] != uid {
		missing[metadata.UIDAnnotation] = uid
	}
	if m.Repository != "" && metadata.Repository(o) != m.Repository {
		missing[metadata.RepositoryAnnotation] = m.Repository
	}
	if at := m.Expires.UTC().Truncate(time.Second); !m.Expires.IsZero() && !metadata.Expires(o).Equal(at) {
		missing[metadata.ExpiresAnnotation] = at.Format(time.RFC3339)
	}
	if len(missing) == 0 {
		return o, nil
	}
	theirs := map[string]any{}
	for _, name := range []string{metadata.RepositoryAnnotation, metadata.ExpiresAnnotation} {
		if value, ok := missing[name]; ok && o.GetAnnotations()[name] == value {
			theirs[name] = nil // somebody else wrote the same value; its field manager changes only if the value does
		}
	}
	if len(theirs) > 0 {
		removed, err := annotate(ctx, c, o, theirs)
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
