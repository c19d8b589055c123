// Package dns01 has the settings of the DNS challenge, which do nothing here.
package dns01

import (
	"strings"
	"time"
)

// Option is a setting of the challenge.
type Option struct{}

// Options are a client's settings.
type Options struct{ RecursiveNameservers []string }

// Client asks name servers.
type Client struct{}

// NewClient returns a client that does nothing.
func NewClient(*Options) *Client { return nil }

// SetDefaultClient does nothing.
func SetDefaultClient(*Client) {}

// CondOptions returns an Option that does nothing.
func CondOptions(bool, ...Option) (o Option) { return }

// DisableAuthoritativeNssPropagationRequirement returns an Option that does nothing.
func DisableAuthoritativeNssPropagationRequirement() (o Option) { return }

// DisableRecursiveNSsPropagationRequirement returns an Option that does nothing.
func DisableRecursiveNSsPropagationRequirement() (o Option) { return }

// PropagationWait returns an Option that does nothing.
func PropagationWait(time.Duration, bool) (o Option) { return }

// UnFqdn returns name without its final dot. Traefik calls it for every TLS connection.
func UnFqdn(name string) string { return strings.TrimSuffix(name, ".") }
