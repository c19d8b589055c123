package forge

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// MissingKeysError reports that new Pods could not start because the Secret lacks keys that only a deploy adds.
type MissingKeysError struct {
	Secret, App string
	Keys        []string
}

// Error names the Secret and the keys.
func (e *MissingKeysError) Error() string {
	return fmt.Sprintf(
		"Secret %s does not have %s yet: the new Pods could not start", e.Secret, strings.Join(e.Keys, ", "),
	)
}

// Hint returns the command that updates the Secret and the Pods.
func (e *MissingKeysError) Hint() string {
	return fmt.Sprintf("run norn deploy %s to update the Secret and the Deployment", e.App)
}

// checkSecretKeys returns a *MissingKeysError if the Pods would refer to keys that the Secret lacks. Before the first
// deploy, or if a deploy follows, the Secret may lack keys, because the deploy adds them. An adopted Deployment may
// also lack keys, but no deploy can add them before norn manages the app. checkSecretKeys returns those as deferred.
func (r *run) checkSecretKeys(ctx context.Context) (deferred []string, err error) {
	spec, d := r.spec, r.live.deployment
	runs := r.options.Image != "" || slices.ContainsFunc(r.live.workloads(), (*workload).runs)
	if len(spec.Secrets) == 0 || !runs || r.options.DeployFollows || spec.Role == infraspec.Function {
		return nil, nil
	}
	name := objects.SecretName(spec.App)
	existing := map[string][]byte{}
	switch live, err := r.cluster.GetSecret(ctx, r.options.Namespace, name); {
	case err == nil:
		existing = live.Data
	case !k8s.IsNotFound(err):
		return nil, err
	}
	var missing []string
	for _, key := range slices.Sorted(slices.Values(spec.Secrets)) {
		if existing[key] == nil {
			missing = append(missing, key)
		}
	}
	adopting := r.options.Adopt && d != nil && !metadata.IsOwned(d, spec.App)
	if len(missing) > 0 && !adopting {
		return nil, &MissingKeysError{name, spec.App, missing}
	}
	return missing, nil
}

// runs reports whether a workload starts Pods.
func (w *workload) runs() bool {
	d, c := w.deployment, w.cronJob
	return d != nil && !d.Spec.Paused || c != nil && (c.Spec.Suspend == nil || !*c.Spec.Suspend)
}
