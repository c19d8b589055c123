// Package tunnel edits the configuration of a Cloudflare tunnel, and notes in it which rules are norn's. It is pure: package
// forge reads and writes the ConfigMap, and restarts cloudflared.
package tunnel

import (
	"fmt"

	"norn/pkg/infraspec"
)

// The objects of cloudflared: where it runs, and where its configuration is kept.
const (
	Namespace  = "cloudflared"
	ConfigMap  = "cloudflared"
	ConfigKey  = "config.yaml"
	Deployment = "cloudflared"
)

// Routed reports whether forge gives an app a tunnel rule: that takes a webserver with both hosts.
func Routed(spec *infraspec.Spec) bool {
	return spec.Role == infraspec.Webserver && spec.Hosts.External != "" && spec.Hosts.Internal != ""
}

// RuleFor returns the rule of an app, which must be Routed.
func RuleFor(spec *infraspec.Spec, ns string) Rule {
	return Rule{Host: spec.Hosts.External, Service: fmt.Sprintf("http://%s.%s.svc.cluster.local:80", spec.Hosts.Internal, ns)}
}

// Route returns the service that the text of a tunnel's configuration routes host to, or "" if it has no rule for host.
func Route(text, host string) (string, error) {
	in, err := parseIngress(text)
	if err != nil {
		return "", err
	}
	if i := in.find(host); i >= 0 {
		return in.rules[i].service, nil
	}
	return "", nil
}
