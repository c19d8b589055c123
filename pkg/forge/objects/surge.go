package objects

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"norn/pkg/infraspec"
)

// Surges reports whether a rollout of the app starts a new Pod before it ends an old one. It then needs room for one
// Pod more than the app has.
func Surges(spec *infraspec.Spec) bool {
	if !spec.Role.Standing() || spec.Replicas == 0 {
		return false
	}
	d, err := Deployment(spec, Settings{}, nil)
	if err != nil {
		return false
	}
	s := d.Spec.Strategy
	if *s.Type == appsv1.RecreateDeploymentStrategyType {
		return false
	}
	if s.RollingUpdate == nil || s.RollingUpdate.MaxSurge == nil {
		return true
	}
	surge, err := intstr.GetScaledValueFromIntOrPercent(s.RollingUpdate.MaxSurge, spec.Replicas, true)
	return err == nil && surge > 0
}
