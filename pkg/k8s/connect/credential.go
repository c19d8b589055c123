package connect

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

// Credential describes how norn authenticates to the API server.
type Credential struct {
	Kind string    // "client certificate", "token", or "" for something else
	End  time.Time // when it expires; zero if unknown
}

// CredentialOf returns the credential in a configuration.
func CredentialOf(conf *rest.Config) Credential {
	switch {
	case len(conf.CertData) > 0 || conf.CertFile != "":
		return Credential{"client certificate", clientCertificateEnd(conf)}
	case conf.BearerToken != "" || conf.BearerTokenFile != "":
		return Credential{"token", tokenEnd(conf)}
	}
	return Credential{}
}

// missingCredentials returns why norn sends no credentials that an API server accepts, or "" if it sends some.
func (t *target) missingCredentials() string {
	c := t.conf
	switch {
	case len(c.CertData) > 0 || c.CertFile != "" || c.BearerToken != "" || c.BearerTokenFile != "",
		c.ExecProvider != nil || c.AuthProvider != nil:
		return ""
	case c.Username != "" || c.Password != "": // kubernetes.io: basic authentication was removed in 1.19
		return fmt.Sprintf("user entry %q of the kubeconfig has only a user name and password, "+
			"which Kubernetes no longer accepts", t.user)
	case t.user == "":
		return fmt.Sprintf("context %q names no user", t.context)
	}
	return fmt.Sprintf("user entry %q of the kubeconfig has no credentials", t.user)
}

// clientCertificateEnd returns when the client certificate expires, or zero if it cannot be read.
func clientCertificateEnd(conf *rest.Config) time.Time {
	data := conf.CertData
	if len(data) == 0 && conf.CertFile != "" {
		data, _ = os.ReadFile(conf.CertFile) // making a connection reports the error
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return time.Time{}
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}
	}
	return cert.NotAfter
}

// tokenEnd returns when a bearer token expires, or zero if the token does not say (RFC 7519, 4.1.4: exp).
func tokenEnd(conf *rest.Config) time.Time {
	token := conf.BearerToken
	if conf.BearerTokenFile != "" { // it takes precedence over the token, as in client-go
		data, _ := os.ReadFile(conf.BearerTokenFile)
		token = strings.TrimSpace(string(data))
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		End float64 `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.End <= 0 {
		return time.Time{}
	}
	return time.Unix(int64(claims.End), 0)
}
