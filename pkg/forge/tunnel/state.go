package tunnel

import (
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
)

// State describes one of an app's rules in a tunnel's configuration.
type State struct {
	Wanted     Rule
	Leads      string // the service that the host leads to now, or "" without a rule
	Shadow     string // the host pattern of an earlier rule that also matches, or ""
	Unfinished bool   // cloudflared has not restarted since the rule changed
}

// ReadStates returns the state of each rule of spec's app, which must be Routed.
func ReadStates(m *corev1.ConfigMap, spec *infraspec.Spec, ns string) ([]State, error) {
	in, err := parseIngress(m.Data[ConfigKey])
	if err != nil {
		return nil, err
	}
	var states []State
	for _, rule := range RulesFor(spec, ns) {
		state := State{Wanted: rule, Unfinished: Unfinished(m, AppKey(ns, spec.App))}
		at := in.find(rule.Host)
		if at >= 0 {
			state.Leads = in.rules[at].service
		} else {
			at = in.insertIndex(rule.Host)
		}
		state.Shadow = in.shadow(rule.Host, at)
		states = append(states, state)
	}
	return states, nil
}
