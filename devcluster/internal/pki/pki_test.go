package pki

import (
	"bytes"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"
)

var nodeIP, serviceIP = net.ParseIP("10.245.0.1"), net.ParseIP("10.96.0.1")

func TestEnsure(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	read := func() []byte {
		t.Helper()
		if err := Ensure(dir, nodeIP, serviceIP); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "apiserver.crt"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	first := read()
	if !bytes.Equal(first, read()) {
		t.Error("valid certificates were replaced")
	}
	ca, err := readCert(filepath.Join(dir, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := readCert(filepath.Join(dir, "apiserver.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	for _, name := range []string{"127.0.0.1", "10.96.0.1", "kubernetes.default.svc"} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// An incomplete set, as a killed start leaves it, is replaced.
	if err := os.Remove(filepath.Join(dir, "ca.crt")); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first, read()) || !valid(dir, []net.IP{nodeIP}) {
		t.Error("an incomplete set of certificates was kept")
	}
}

// A node's certificate is signed by the CA, kept, and valid only for the node's address and name.
func TestEnsureNode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	if err := Ensure(dir, nodeIP); err != nil {
		t.Fatal(err)
	}
	read := func() *x509.Certificate {
		t.Helper()
		if err := EnsureNode(dir, "node-2", net.ParseIP("10.245.0.3")); err != nil {
			t.Fatal(err)
		}
		cert, err := readCert(filepath.Join(dir, NodeFile("node-2")+".crt"))
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	cert := read()
	if !cert.Equal(read()) {
		t.Error("a valid certificate was replaced")
	}
	ca, err := readCert(filepath.Join(dir, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	for name, want := range map[string]bool{"10.245.0.3": true, "node-2": true, "node": false, "10.245.0.2": false} {
		_, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
		if (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if cert.Subject.CommonName != "system:node:node-2" || cert.Subject.Organization[0] != "system:nodes" {
		t.Errorf("subject %s", cert.Subject)
	}
}

// A certificate without one of the addresses is replaced.
func TestEnsureAddresses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	if err := Ensure(dir, nodeIP); err != nil {
		t.Fatal(err)
	}
	if err := Ensure(dir, nodeIP, serviceIP); err != nil {
		t.Fatal(err)
	}
	if !valid(dir, []net.IP{nodeIP, serviceIP}) {
		t.Error("the certificate lacks an address")
	}
}
