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

// Routed reports whether an app gets tunnel rules. Only a webserver with an internal and an external host does, unless
// it has another route.
func Routed(spec *infraspec.Spec) bool {
	return spec.Role == infraspec.Webserver && len(spec.Hosts.External) > 0 && spec.Hosts.Internal != "" &&
		!spec.Route.IsSet()
}

// RulesFor returns the rules of an app, one for each public host. The app must be Routed.
func RulesFor(spec *infraspec.Spec, ns string) []Rule {
	rules := make([]Rule, 0, len(spec.Hosts.External))
	for _, host := range spec.Hosts.External {
		rules = append(rules, Rule{Host: host, Service: objects.ServiceURL(spec, ns)})
	}
	return rules
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
