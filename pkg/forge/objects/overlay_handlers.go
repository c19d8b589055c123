package objects

import (
	"reflect"

	applycore "k8s.io/client-go/applyconfigurations/core/v1"
)

// replaceHandlers removes the handlers of made, such as a preStop hook that sleeps, where the overlay sets another kind
// of handler. The merge keeps both, and Kubernetes accepts only one. The containers of both Pods have the same order.
func replaceHandlers(merged, made *applycore.PodSpecApplyConfiguration) {
	for i := range made.Containers {
		m, c := &merged.Containers[i], &made.Containers[i]
		replaceCheck(m.StartupProbe, c.StartupProbe)
		replaceCheck(m.ReadinessProbe, c.ReadinessProbe)
		replaceCheck(m.LivenessProbe, c.LivenessProbe)
		if c.Lifecycle != nil {
			replaceHandler(m.Lifecycle.PreStop, c.Lifecycle.PreStop)
			replaceHandler(m.Lifecycle.PostStart, c.Lifecycle.PostStart)
		}
	}
}

func replaceCheck(merged, made *applycore.ProbeApplyConfiguration) {
	if made != nil {
		replaceHandler(&merged.ProbeHandlerApplyConfiguration, &made.ProbeHandlerApplyConfiguration)
	}
}

// replaceHandler removes the fields of made from merged, if merged also has others. H is a struct of pointers of which
// Kubernetes accepts one. made may be nil.
func replaceHandler[H any](merged, made *H) {
	if made == nil {
		return
	}
	m, c := reflect.ValueOf(merged).Elem(), reflect.ValueOf(made).Elem()
	others := false
	for i := range m.NumField() {
		others = others || !m.Field(i).IsNil() && c.Field(i).IsNil()
	}
	for i := range m.NumField() {
		if others && !c.Field(i).IsNil() {
			m.Field(i).SetZero()
		}
	}
}
