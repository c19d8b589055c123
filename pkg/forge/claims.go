package forge

import (
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
)

// checkClaims returns a *objects.ClaimDeletionError if one of the claims that the Deployments' Pods mount is being
// deleted. That deletion ends with the Pods, and a change that ends the Pods would delete the data.
func (l *live) checkClaims(app string) error {
	var claims []corev1.PersistentVolumeClaim
	for _, c := range l.claims {
		claims = append(claims, *c)
	}
	for _, w := range l.workloads() {
		if w.deployment == nil {
			continue
		}
		if err := objects.CheckClaims(app, &w.deployment.Spec.Template.Spec, claims); err != nil {
			return err
		}
	}
	return nil
}
