// Package lego has the ACME client, of which no instance can be made.
package lego

import (
	"crypto"
	"crypto/x509"
	"net/http"

	"github.com/go-acme/lego/v5/acme"
	"github.com/go-acme/lego/v5/certificate"
	"github.com/go-acme/lego/v5/challenge"
	"github.com/go-acme/lego/v5/challenge/dns01"
	"github.com/go-acme/lego/v5/challenge/http01"
	"github.com/go-acme/lego/v5/challenge/tlsalpn01"
	"github.com/go-acme/lego/v5/registration"
)

// DirectoryURLLetsEncrypt is empty, so that Traefik has no certificate authority to ask.
const DirectoryURLLetsEncrypt = ""

// User is who asks for certificates.
type User interface {
	GetEmail() string
	GetRegistration() *acme.ExtendedAccount
	GetPrivateKey() crypto.Signer
}

// Config is the client's configuration.
type Config struct {
	CADirURL, UserAgent string
	HTTPClient          *http.Client
	Certificate         certificate.Options
}

// NewConfig returns an empty Config.
func NewConfig(User) *Config { return &Config{} }

// Client asks a certificate authority.
type Client struct {
	Certificate  certificate.Certifier
	Challenge    Solvers
	Registration registration.Registrar
}

// NewClient returns certificate.ErrNone.
func NewClient(*Config) (*Client, error) { return nil, certificate.ErrNone }

// CreateCertPool returns certificate.ErrNone.
func CreateCertPool([]string, bool) (*x509.CertPool, error) { return nil, certificate.ErrNone }

// Solvers would pass challenges to the providers.
type Solvers struct{}

// SetHTTP01Provider returns certificate.ErrNone.
func (Solvers) SetHTTP01Provider(challenge.Provider, ...http01.Option) error {
	return certificate.ErrNone
}

// SetTLSALPN01Provider returns certificate.ErrNone.
func (Solvers) SetTLSALPN01Provider(challenge.Provider, ...tlsalpn01.Option) error {
	return certificate.ErrNone
}

// SetDNS01Provider returns certificate.ErrNone.
func (Solvers) SetDNS01Provider(challenge.Provider, ...dns01.Option) error {
	return certificate.ErrNone
}
