package deploy

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
)

// checkClaims returns a *objects.ClaimDeletionError if replacing the app's Pods would delete data: their claim is being
// deleted, and exists only because they mount it. It returns nil if the user cannot read the Deployment or the claims.
func checkClaims(ctx context.Context, cluster *k8s.Client, t rollout.Target) error {
	d, err := cluster.GetDeployment(ctx, t.Namespace, t.App)
	var claims []corev1.PersistentVolumeClaim
	if err == nil {
		claims, err = cluster.ListAllPVCs(ctx, t.Namespace)
	}
	if _, denied := errors.AsType[*k8s.DeniedError](err); denied || k8s.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return objects.CheckClaims(t.App, &d.Spec.Template.Spec, claims)
}
