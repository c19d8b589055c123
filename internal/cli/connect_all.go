package cli

import (
	"context"

	"norn/internal/config"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// ConnectToPreviews connects for a command that chooses no environment, because it is about all previews. If spec is
// not nil, the cluster must be that of each of its environments that have previews and are pinned.
func (a *App) ConnectToPreviews(
	ctx context.Context, conf *config.Config, action string, spec *infraspec.Spec,
) (*k8s.Client, error) {
	client, unavailable, err := a.Reach(ctx, conf)
	if unavailable != nil {
		return nil, &NeedsKubernetesError{action, unavailable}
	}
	if err != nil || spec == nil {
		return client, err
	}
	for _, name := range spec.PreviewEnvironments() {
		a.environment = &environment{Environment: spec.Environments[name], name: name, app: spec.App}
		if err := a.environment.checkCluster(ctx, client); err != nil {
			return nil, err
		}
	}
	a.environment = nil
	return client, nil
}
