package cli

import (
	"context"

	"norn/internal/config"
	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
)

// ForgeSettings returns the settings of the app's objects. A new app starts with image, which may be "". cluster is nil
// if there is none; see forge.SettingsFor.
func ForgeSettings(
	ctx context.Context, cluster *k8s.Client, conf *config.Config, image string,
) (objects.Settings, error) {
	s := objects.Settings{
		Namespace: conf.Namespace, PostgresHost: conf.PGHost, PostgresUser: conf.PGUser, Image: image,
	}
	if cluster == nil {
		return s, nil
	}
	return forge.SettingsFor(ctx, cluster, s)
}
