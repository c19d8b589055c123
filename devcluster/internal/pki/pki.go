// Package pki creates a devcluster's certificate authorities and certificates. All certificates can be verified, inside
// the cluster and outside.
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
	renewal  = 30 * 24 * time.Hour // certificates are replaced if they expire sooner
)

// subject describes a certificate.
type subject struct {
	file, name string
	groups     []string
	addresses  []net.IP
	hosts      []string
}

// The certificate authorities. The second one signs the API server's client certificate for aggregated API servers. It
// must be a separate authority (Kubernetes: Configure the Aggregation Layer).
const (
	authority           = "ca"
	frontProxyAuthority = "front-proxy-ca"
)

// Ensure creates the keys and certificates in dir unless they exist and are valid for long enough. It replaces all of
// them or none. addresses are the API server's addresses in addition to 127.0.0.1.
func Ensure(dir string, addresses ...net.IP) error {
	addresses = append([]net.IP{net.IPv4(127, 0, 0, 1)}, addresses...)
	if valid(dir, addresses) {
		return nil
	}
	subjects := map[string][]subject{
		authority: {
			{"apiserver", "kube-apiserver", nil, addresses, []string{
				"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
				"kubernetes.default.svc.cluster.local",
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
		return fmt.Errorf("create the certificates: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	for ca, signed := range subjects {
		if err := issueAll(tmp, ca, signed); err != nil {
			return fmt.Errorf("create the certificates: %w", err)
		}
	}
	if err := errors.Join(os.RemoveAll(dir), os.Rename(tmp, dir)); err != nil {
		return fmt.Errorf("replace the certificates: %w", err)
	}
	return nil
}

// NodeFile returns the name of a node's certificate and key files, without the extension.
func NodeFile(name string) string { return "kubelet-" + name }

// EnsureNode creates the certificate of a node's kubelet unless it exists. The kubelet uses it as a server at address,
// and as a client with a node's permissions (Kubernetes: Using Node Authorization).
func EnsureNode(dir, name string, address net.IP) error {
	if _, err := readCert(filepath.Join(dir, NodeFile(name)+".crt")); err == nil {
		return nil
	}
	ca, err := readCert(filepath.Join(dir, authority+".crt"))
	if err != nil {
		return fmt.Errorf("create the certificate of %s: %w", name, err)
	}
	key, err := readKey(filepath.Join(dir, authority+".key"))
	if err != nil {
		return fmt.Errorf("create the certificate of %s: %w", name, err)
	}
	addresses := []net.IP{net.IPv4(127, 0, 0, 1), address}
	s := subject{NodeFile(name), "system:node:" + name, []string{"system:nodes"}, addresses, []string{name}}
	if _, _, err := issue(dir, s.file, s.template(), ca, key); err != nil {
		return fmt.Errorf("create the certificate of %s: %w", name, err)
	}
	return nil
}

// valid reports whether the API server's certificate is signed by the CA in dir, valid for long enough, and valid for
// all addresses.
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
	der, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	der, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	return x509.ParseECPrivateKey(der)
}

// readPEM returns the contents of the first PEM block in a file.
func readPEM(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("no PEM block in %s", path)
	}
	return block.Bytes, nil
}

// issueAll creates an authority and the certificates that it signs.
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

// issue creates a key and its certificate, signed by parent, or self-signed if parent is nil.
func issue(
	dir, file string, template, parent *x509.Certificate, signer *ecdsa.PrivateKey,
) (*x509.Certificate, *ecdsa.PrivateKey, error) {
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
