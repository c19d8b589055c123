package tunnel

import (
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
)

// State describes an app's rule in a tunnel's configuration.
type State struct {
	Wanted     Rule
	Leads      string // the service that the host leads to now, or "" without a rule
	Shadow     string // the host pattern of an earlier rule that also matches, or ""
	Unfinished bool   // cloudflared has not restarted since the rule changed
}

// ReadState returns the state of the rule of spec's app, which must be Routed.
func ReadState(m *corev1.ConfigMap, spec *infraspec.Spec, ns string) (State, error) {
	state := State{Wanted: RuleFor(spec, ns), Unfinished: Unfinished(m, AppKey(ns, spec.App))}
	in, err := parseIngress(m.Data[ConfigKey])
	if err != nil {
		return state, err
	}
	at := in.find(state.Wanted.Host)
	if at >= 0 {
		state.Leads = in.rules[at].service
	} else {
		at = in.insertIndex(state.Wanted.Host)
	}
	state.Shadow = in.shadow(state.Wanted.Host, at)
	return state, nil
}
