package cli

import (
	"context"

	"norn/pkg/forge/objects"
)

// hideLive keeps the values in the app's Secret out of what its pods print. Who may not read the Secret sees the pods' lines as they are.
func (a *app) hideLive(ctx context.Context, s *session, app string) {
	live, err := s.client.GetSecret(ctx, s.conf.Namespace, objects.SecretName(app))
	if err != nil {
		return
	}
	for name, value := range live.Data {
		a.redactor.Hide(name, string(value))
	}
}
