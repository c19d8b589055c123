// Package acme holds the account types that Traefik stores.
package acme

// Account is an ACME account.
type Account struct{}

// ExtendedAccount is an ACME account with its address.
type ExtendedAccount struct {
	Account
	Location string
}
