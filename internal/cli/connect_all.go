package cli

import (
	"context"

	"norn/internal/config"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
)

// ReachEnvironment is Reach for a command that reads several apps in the chosen environment. The cluster must be that
// of each app that is pinned to one there.
func (a *App) ReachEnvironment(
	ctx context.Context, conf *config.Config, specs []*infraspec.Spec,
) (*k8s.Client, *connect.UnavailableError, error) {
	client, unavailable, err := a.Reach(ctx, conf)
	checked := map[string]bool{}
	for _, spec := range specs {
		if client == nil || err != nil {
			break
		}
		var one environment
		one.name, one.app = conf.Env, spec.App
		if one.Environment, err = spec.Chosen(conf.Env); err == nil && !checked[one.Cluster] {
			err, checked[one.Cluster] = one.checkCluster(ctx, client), true
		}
	}
	if err != nil {
		return nil, nil, err
	}
	a.environment = &environment{name: conf.Env}
	return client, unavailable, nil
}

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
