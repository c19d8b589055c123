// Package http01 has the settings of the HTTP challenge, which do nothing here.
package http01

import "time"

// PathPrefix is the path of the challenge (RFC 8555, section 8.3).
const PathPrefix = "/.well-known/acme-challenge/"

// Option is a setting of the challenge.
type Option struct{}

// SetDelay returns an Option that does nothing.
func SetDelay(time.Duration) (o Option) { return }
