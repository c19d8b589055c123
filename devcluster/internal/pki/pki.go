// Package pki makes a devcluster's certificate authority and what it signs. Nothing in the cluster, and nobody who
// uses it, ever has to skip the verification of a certificate.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	lifetime = 10 * 365 * 24 * time.Hour
	renewal  = 30 * 24 * time.Hour // remaining time below which it is renewed
)

// subject is one certificate that an authority signs.
type subject struct {
	file, name string
	groups     []string
	addresses  []net.IP
	hosts      []string
}

// The authorities. The second one signs the API server's own identity towards aggregated API servers, which must not
// be mistaken for a user's (Kubernetes: Configure the Aggregation Layer).
const (
	authority           = "ca"
	frontProxyAuthority = "front-proxy-ca"
)

// Ensure makes the folder's keys and certificates, all or none, unless they are there and good for
// long enough. The API server is reached at addresses and at 127.0.0.1.
func Ensure(dir string, addresses ...net.IP) error {
	addresses = append([]net.IP{net.IPv4(127, 0, 0, 1)}, addresses...)
	if valid(dir, addresses) {
		return nil
	}
	subjects := map[string][]subject{
		authority: {
			{"apiserver", "kube-apiserver", nil, addresses, []string{
				"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
			}},
			{"admin", "admin", []string{"system:masters"}, nil, nil},
			{"kube-proxy", "system:kube-proxy", nil, nil, nil},
			{"metrics-server", "metrics-server", nil, addresses, []string{"metrics-server.kube-system.svc"}},
			{"gateway", "gateway", nil, addresses, []string{"*.localhost", "*.example.com", "*.test"}},
			{"sa", "service-accounts", nil, nil, nil},
		},
		frontProxyAuthority: {{"front-proxy-client", "front-proxy-client", nil, nil, nil}},
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".pki-*")
	if err != nil {
		return fmt.Errorf("make the certificates: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	for ca, signed := range subjects {
		if err := issueAll(tmp, ca, signed); err != nil {
			return fmt.Errorf("make the certificates: %w", err)
		}
	}
	if err := errors.Join(os.RemoveAll(dir), os.Rename(tmp, dir)); err != nil {
		return fmt.Errorf("put the certificates in place: %w", err)
	}
	return nil
}

// NodeFile is the name, without its ending, of the files that hold a node's certificate and key.
func NodeFile(name string) string { return "kubelet-" + name }

// EnsureNode makes the certificate by which a node's kubelet is a server at its address, and a client that may do
// what a node may (Kubernetes: Using Node Authorization). It does nothing if one exists.
func EnsureNode(dir, name string, address net.IP) error {
	if _, err := readCert(filepath.Join(dir, NodeFile(name)+".crt")); err == nil {
		return nil
	}
	ca, err := readCert(filepath.Join(dir, authority+".crt"))
	if err != nil {
		return fmt.Errorf("make the certificate of %s: %w", name, err)
	}
	key, err := readKey(filepath.Join(dir, authority+".key"))
	if err != nil {
		return fmt.Errorf("make the certificate of %s: %w", name, err)
	}
	s := subject{NodeFile(name), "system:node:" + name, []string{"system:nodes"}, []net.IP{net.IPv4(127, 0, 0, 1), address}, []string{name}}
	if _, _, err := issue(dir, s.file, s.template(), ca, key); err != nil {
		return fmt.Errorf("make the certificate of %s: %w", name, err)
	}
	return nil
}

// valid reports whether the folder's API server certificate is signed by its CA, good for a while, and for all addresses.
func valid(dir string, addresses []net.IP) bool {
	ca, err := readCert(filepath.Join(dir, authority+".crt"))
	if err != nil {
		return false
	}
	leaf, err := readCert(filepath.Join(dir, "apiserver.crt"))
	if err != nil {
		return false
	}
	for _, address := range addresses {
		if leaf.VerifyHostname(address.String()) != nil {
			return false
		}
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: time.Now().Add(renewal)})
	return err == nil
}

func readCert(path string) (*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block", path)
	}
	return x509.ParseCertificate(block.Bytes)
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block", path)
	}
	return x509.ParseECPrivateKey(block.Bytes)
}

// issueAll makes an authority, and what it signs.
func issueAll(dir, authority string, subjects []subject) error {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "devcluster " + authority},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	ca, key, err := issue(dir, authority, template, nil, nil)
	if err != nil {
		return err
	}
	for _, s := range subjects {
		if _, _, err := issue(dir, s.file, s.template(), ca, key); err != nil {
			return err
		}
	}
	return nil
}

func (s subject) template() *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: s.name, Organization: s.groups},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		DNSNames: s.hosts, IPAddresses: s.addresses,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
}

// issue makes a key and a certificate for it, signed by parent, or by itself without one.
func issue(dir, file string, template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	write := func(name, kind string, data []byte, mode fs.FileMode) error {
		return os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), mode)
	}
	if err := errors.Join(
		write(file+".crt", "CERTIFICATE", der, 0o644),
		write(file+".key", "EC PRIVATE KEY", keyDER, 0o600)); err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}
