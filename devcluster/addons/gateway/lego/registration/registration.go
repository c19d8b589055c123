// Package registration creates no ACME accounts: every request fails.
package registration

import (
	"context"

	"github.com/go-acme/lego/v5/acme"
	"github.com/go-acme/lego/v5/certificate"
)

// RegisterOptions asks for an account.
type RegisterOptions struct{ TermsOfServiceAgreed bool }

// RegisterEABOptions asks for an account that is bound to another one.
type RegisterEABOptions struct {
	TermsOfServiceAgreed bool
	Kid, HmacEncoded     string
}

// Registrar creates accounts.
type Registrar struct{}

// Register returns certificate.ErrNone.
func (Registrar) Register(context.Context, RegisterOptions) (*acme.ExtendedAccount, error) {
	return nil, certificate.ErrNone
}

// RegisterWithExternalAccountBinding returns certificate.ErrNone.
func (Registrar) RegisterWithExternalAccountBinding(context.Context, RegisterEABOptions) (*acme.ExtendedAccount, error) {
	return nil, certificate.ErrNone
}
