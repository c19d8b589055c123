// Package tlsalpn01 has the settings of the TLS challenge, which do nothing here.
package tlsalpn01

import (
	"time"

	"github.com/go-acme/lego/v5/certificate"
)

// ACMETLS1Protocol is the protocol that the challenge negotiates (RFC 8737, section 3).
const ACMETLS1Protocol = "acme-tls/1"

// Option is a setting of the challenge.
type Option struct{}

// SetDelay returns an Option that does nothing.
func SetDelay(time.Duration) (o Option) { return }

// ChallengeBlocks returns certificate.ErrNone.
func ChallengeBlocks(string, string) (cert, key []byte, err error) {
	return nil, nil, certificate.ErrNone
}
