package forge

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// SecretKeys are the keys of an app's Secret that its pods read, sorted.
func SecretKeys(app string, pod corev1.PodSpec) []string {
	var keys []string
	for _, c := range pod.Containers {
		for _, e := range c.Env {
			if from := e.ValueFrom; from != nil && from.SecretKeyRef != nil && from.SecretKeyRef.Name == SecretName(app) {
				keys = append(keys, from.SecretKeyRef.Key)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// MissingKeysError says that pods would not start for want of values that the next deploy brings.
type MissingKeysError struct {
	Secret, App string
	Keys        []string
}

// Error names the Secret and the keys.
func (e *MissingKeysError) Error() string {
	return fmt.Sprintf("Secret %s has no %s yet, and running pods would be replaced by ones that cannot start", e.Secret, strings.Join(e.Keys, ", "))
}

// Hint is the order that works.
func (e *MissingKeysError) Hint() string {
	return fmt.Sprintf("norn deploy --forge %s brings both at once; norn secrets set adds what is not in the file yet", e.App)
}

// keysThere refuses to point pods to values that are not in the Secret, where there are pods: before the first deploy nothing runs, and
// one that follows brings them.
func (r *run) keysThere(ctx context.Context) error {
	spec, d, c := r.spec, r.live.deployment, r.live.cronJob
	runs := r.options.Image != "" || d != nil && !d.Spec.Paused || c != nil && (c.Spec.Suspend == nil || !*c.Spec.Suspend)
	if len(spec.Secrets) == 0 || !runs || r.options.deployFollows || spec.Role == infraspec.Function {
		return nil
	}
	name := SecretName(spec.App)
	there := map[string][]byte{}
	switch live, err := r.cluster.GetSecret(ctx, r.options.Namespace, name); {
	case err == nil:
		there = live.Data
	case !k8s.IsNotFound(err):
		return err
	}
	var missing []string
	for _, key := range slices.Sorted(slices.Values(spec.Secrets)) {
		if there[key] == nil {
			missing = append(missing, key)
		}
	}
	adopting := r.options.Adopt && d != nil && !isOwned(d, spec.App)
	if len(missing) > 0 && adopting {
		r.heldBack = missing // only a deploy of an app that is norn's can bring them
		return nil
	}
	if len(missing) > 0 {
		return &MissingKeysError{name, spec.App, missing}
	}
	return nil
}
