package connect

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// CredentialOf reads the expiry time of a JWT, and returns none for other tokens.
func TestCredential(t *testing.T) {
	token := func(payload string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".x"
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token(`{"exp":2000}`)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		conf rest.Config
		want Credential
	}{
		{"nothing", rest.Config{}, Credential{}},
		{"token", rest.Config{BearerToken: token(`{"exp":1000}`)}, Credential{"token", time.Unix(1000, 0)}},
		{"token file takes precedence", rest.Config{BearerToken: token(`{"exp":1000}`), BearerTokenFile: file},
			Credential{"token", time.Unix(2000, 0)}},
		{"token without end", rest.Config{BearerToken: token(`{}`)}, Credential{Kind: "token"}},
		{"not a JWT", rest.Config{BearerToken: "a.b.c"}, Credential{Kind: "token"}},
		{"invalid certificate", rest.Config{TLSClientConfig: rest.TLSClientConfig{CertData: []byte("x")}},
			Credential{Kind: "client certificate"}},
	} {
		if got := CredentialOf(&c.conf); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
