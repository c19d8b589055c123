// Package tunnel edits the configuration of a Cloudflare tunnel and records which app owns which rule. It makes no
// calls: package forge reads and writes the ConfigMap and restarts cloudflared.
package tunnel

import (
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
)

// The names of cloudflared's objects, and of the key with its configuration.
const (
	Namespace  = "cloudflared"
	ConfigMap  = "cloudflared"
	ConfigKey  = "config.yaml"
	Deployment = "cloudflared"
)

// Routed reports whether an app gets a tunnel rule. Only a webserver with an internal and an external host does.
func Routed(spec *infraspec.Spec) bool {
	return spec.Role == infraspec.Webserver && spec.Hosts.External != "" && spec.Hosts.Internal != ""
}

// RuleFor returns the rule of an app, which must be Routed.
func RuleFor(spec *infraspec.Spec, ns string) Rule {
	return Rule{Host: spec.Hosts.External, Service: objects.ServiceURL(spec, ns)}
}

// Route returns the service for host in a tunnel's configuration, or "" if it has no rule for host.
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
