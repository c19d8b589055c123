package deploy

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
)

// checkClaims returns a *objects.ClaimDeletionError if replacing the Pods of one of the app's processes would delete
// data: their claim is being deleted, and exists only because they mount it. It returns nil if the user cannot read the
// Deployments or the claims.
func checkClaims(ctx context.Context, cluster *k8s.Client, t rollout.Target) error {
	claims, err := cluster.ListAllPVCs(ctx, t.Namespace)
	if err != nil && !unreadable(err) {
		return err
	}
	claims = slices.DeleteFunc(claims, func(c corev1.PersistentVolumeClaim) bool { return c.DeletionTimestamp == nil })
	if len(claims) == 0 {
		return nil
	}
	others, err := cluster.ProcessWorkloads(ctx, t.Namespace, t.App)
	if err != nil {
		return err
	}
	deployments := others.Deployments
	main, err := cluster.GetDeployment(ctx, t.Namespace, t.App)
	switch {
	case err == nil:
		deployments = append(deployments, *main)
	case !unreadable(err):
		return err
	}
	for _, d := range deployments {
		if err := objects.CheckClaims(t.App, &d.Spec.Template.Spec, claims); err != nil {
			return err
		}
	}
	return nil
}
