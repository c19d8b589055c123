package k8s

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// A clock that shows whole seconds is compared as well as that can be.
func TestAhead(t *testing.T) {
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		shown     time.Duration // after begin
		roundTrip time.Duration
		ahead     time.Duration
		unsure    time.Duration
	}{
		{0, 0, 500 * time.Millisecond, 500 * time.Millisecond},
		{0, time.Second, 0, time.Second},
		{time.Minute, 20 * time.Millisecond, time.Minute + 490*time.Millisecond, 510 * time.Millisecond},
		{-time.Minute, 0, -time.Minute + 500*time.Millisecond, 500 * time.Millisecond},
	} {
		if got, unsure := ahead(begin.Add(c.shown), begin, c.roundTrip); got != c.ahead || unsure != c.unsure {
			t.Errorf("shown %s after a round trip of %s: %s give or take %s, want %s and %s", c.shown, c.roundTrip, got, unsure, c.ahead, c.unsure)
		}
	}
}

// The end of a token is what it says itself; what does not say so has none that is known.
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
		{"file before token", rest.Config{BearerToken: token(`{"exp":1000}`), BearerTokenFile: file}, Credential{"token", time.Unix(2000, 0)}},
		{"without end", rest.Config{BearerToken: token(`{}`)}, Credential{Kind: "token"}},
		{"no JWT", rest.Config{BearerToken: "a.b.c"}, Credential{Kind: "token"}},
		{"no certificate", rest.Config{TLSClientConfig: rest.TLSClientConfig{CertData: []byte("x")}}, Credential{Kind: "client certificate"}},
	} {
		if got := credentialOf(&c.conf); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
