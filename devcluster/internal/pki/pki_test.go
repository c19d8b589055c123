package pki

import (
	"bytes"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"
)

var nodeIP, serviceIP = net.ParseIP("10.244.0.1"), net.ParseIP("10.96.0.1")

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
		t.Error("good certificates were made anew")
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
	// What a killed start left behind is replaced whole.
	if err := os.Remove(filepath.Join(dir, "ca.crt")); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first, read()) || !valid(dir) {
		t.Error("half a set of certificates was kept")
	}
}
