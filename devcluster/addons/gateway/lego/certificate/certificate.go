// Package certificate requests no certificates: every request fails with ErrNone.
package certificate

import (
	"context"
	"errors"
	"time"

	"github.com/go-acme/lego/v5/certcrypto"
)

// ErrNone is the answer to every ACME request.
var ErrNone = errors.New("this build of Traefik has no ACME client")

// Resource is a certificate with its private key.
type Resource struct {
	ID                      string
	Domains                 []string
	PrivateKey, Certificate []byte
}

// ObtainRequest asks for a certificate.
type ObtainRequest struct {
	Domains                  []string
	Bundle, EnableCommonName bool
	EmailAddresses           []string
	Profile, PreferredChain  string
	KeyType                  certcrypto.KeyType
}

// RenewOptions asks for a new certificate.
type RenewOptions struct {
	Bundle, EnableCommonName bool
	EmailAddresses           []string
	Profile, PreferredChain  string
}

// Options is the part of the client's configuration that concerns certificates.
type Options struct{ Timeout time.Duration }

// Certifier requests certificates.
type Certifier struct{}

// Obtain returns ErrNone.
func (Certifier) Obtain(context.Context, ObtainRequest) (*Resource, error) { return nil, ErrNone }

// Renew returns ErrNone.
func (Certifier) Renew(context.Context, Resource, *RenewOptions) (*Resource, error) {
	return nil, ErrNone
}
