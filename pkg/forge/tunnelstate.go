package forge

import (
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
)

// TunnelState is how an app's rule stands in a tunnel's configuration.
type TunnelState struct {
	Wanted     Rule
	Leads      string // where the host leads now; "" where it has no rule
	Shadow     string // the rule ahead that takes what is meant for this one, or ""
	Unfinished bool   // cloudflared has not been restarted with the rule
}

// Tunnel reads how the rule of spec's app, which is Routed, stands in a tunnel's configuration.
func Tunnel(m *corev1.ConfigMap, spec *infraspec.Spec, ns string) (TunnelState, error) {
	state := TunnelState{Wanted: ruleOf(spec, ns), Unfinished: unfinished(m, appKey(ns, spec.App))}
	in, err := parseIngress(m.Data[TunnelConfigKey])
	if err != nil {
		return state, err
	}
	at := in.find(state.Wanted.Host)
	if at >= 0 {
		state.Leads = in.rules[at].service
	} else {
		at = in.end()
	}
	state.Shadow = in.shadow(state.Wanted.Host, at)
	return state, nil
}
