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
	renewal  = 30 * 24 * time.Hour // made afresh when less than this is left
)

// subject is one certificate that the authority signs.
type subject struct {
	file, name string
	groups     []string
	addresses  []net.IP
	hosts      []string
}

// Ensure makes the folder's keys and certificates, all or none, unless they are there and good for
// long enough. nodeIP and serviceIP are the addresses under which the API server is reached.
func Ensure(dir string, nodeIP, serviceIP net.IP) error {
	if valid(dir) {
		return nil
	}
	loopback := net.IPv4(127, 0, 0, 1)
	subjects := []subject{
		{"apiserver", "kube-apiserver", nil, []net.IP{loopback, nodeIP, serviceIP}, []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}},
		{"admin", "admin", []string{"system:masters"}, nil, nil},
		{"kubelet", "node", nil, []net.IP{loopback, nodeIP}, []string{"node"}},
		{"sa", "service-accounts", nil, nil, nil},
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".pki-*")
	if err != nil {
		return fmt.Errorf("make the certificates: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err := issueAll(tmp, subjects); err != nil {
		return fmt.Errorf("make the certificates: %w", err)
	}
	if err := errors.Join(os.RemoveAll(dir), os.Rename(tmp, dir)); err != nil {
		return fmt.Errorf("put the certificates in place: %w", err)
	}
	return nil
}

// valid reports whether the folder's API server certificate is signed by its CA and good for a while.
func valid(dir string) bool {
	ca, err := readCert(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return false
	}
	leaf, err := readCert(filepath.Join(dir, "apiserver.crt"))
	if err != nil {
		return false
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

func issueAll(dir string, subjects []subject) error {
	now := time.Now()
	caTemplate := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "devcluster"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	ca, caKey, err := issue(dir, "ca", caTemplate, nil, nil)
	if err != nil {
		return err
	}
	for i, s := range subjects {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i) + 2),
			Subject:      pkix.Name{CommonName: s.name, Organization: s.groups},
			NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(lifetime),
			DNSNames: s.hosts, IPAddresses: s.addresses,
			KeyUsage:    x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		}
		if _, _, err := issue(dir, s.file, template, ca, caKey); err != nil {
			return err
		}
	}
	return nil
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
