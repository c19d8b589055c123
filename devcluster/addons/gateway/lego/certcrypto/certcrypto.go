// Package certcrypto names the kinds of private keys.
package certcrypto

// KeyType is a kind of private key.
type KeyType string

// The kinds of keys that Traefik's configuration accepts.
const (
	EC256   KeyType = "P256"
	EC384   KeyType = "P384"
	RSA2048 KeyType = "2048"
	RSA4096 KeyType = "4096"
	RSA8192 KeyType = "8192"
)
