package forge

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// Where cloudflared's configuration is kept.
const (
	TunnelNamespace = "cloudflared"
	TunnelConfigMap = "cloudflared"
	TunnelConfigKey = "config.yaml"
)

// TunnelRoute is the service that the text of a tunnel's configuration routes host to, or "" where it has no rule for it
// (developers.cloudflare.com: Tunnel configuration file, ingress).
func TunnelRoute(text, host string) (string, error) {
	var conf struct {
		Ingress []struct {
			Hostname string `yaml:"hostname"`
			Service  string `yaml:"service"`
		} `yaml:"ingress"`
	}
	if err := yaml.Unmarshal([]byte(text), &conf); err != nil {
		return "", fmt.Errorf("read the tunnel's configuration: %w", err)
	}
	for _, rule := range conf.Ingress {
		if rule.Hostname == host {
			return rule.Service, nil
		}
	}
	return "", nil
}
