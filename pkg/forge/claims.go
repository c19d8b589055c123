package forge

import (
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
)

// checkClaims returns a *objects.ClaimDeletionError if one of the claims that the Deployment's Pods mount is being
// deleted. That deletion ends with the Pods, and a change that ends the Pods would delete the data.
func (l *live) checkClaims(app string) error {
	if l.deployment == nil {
		return nil
	}
	var claims []corev1.PersistentVolumeClaim
	for _, c := range l.claims {
		claims = append(claims, *c)
	}
	return objects.CheckClaims(app, &l.deployment.Spec.Template.Spec, claims)
}
