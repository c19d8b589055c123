package objects

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// NewDefaults names the changes from one Pod template of an app to the next that do not come from its infraspec, but
// from a newer norn. Each of them happens once, in the first forge or deploy after norn's upgrade.
func NewDefaults(before, after *appsv1.Deployment, spec *infraspec.Spec) []string {
	old, now := before.Spec.Template.Spec, after.Spec.Template.Spec
	c, d := metadata.AppContainer(&old, spec.App), metadata.AppContainer(&now, spec.App)
	if c == nil || d == nil {
		return nil
	}
	var names []string
	if hasFirstProbes(c) && !hasFirstProbes(d) && d.ReadinessProbe != nil &&
		!spec.Has("healthcheck.start") && !spec.Has("healthcheck.every") {
		names = append(names, "probes")
	}
	if !drains(c) && drains(d) && !spec.Has("drain") {
		names = append(names, "preStop")
	}
	if len(old.TopologySpreadConstraints) == 0 && len(now.TopologySpreadConstraints) > 0 {
		names = append(names, "topologySpreadConstraints")
	}
	return names
}

func drains(c *corev1.Container) bool {
	return c.Lifecycle != nil && c.Lifecycle.PreStop != nil && c.Lifecycle.PreStop.Sleep != nil
}

// hasFirstProbes reports whether a container has the probes that norn set for every healthcheck at first.
func hasFirstProbes(c *corev1.Container) bool {
	is := func(p *corev1.Probe, period, failures int32) bool {
		return p != nil && p.PeriodSeconds == period && p.FailureThreshold == failures
	}
	return is(c.StartupProbe, 5, 30) && is(c.ReadinessProbe, 10, 3) && is(c.LivenessProbe, 30, 3)
}
