package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"norn/test/bed"
)

// vault is a server that encrypts like Vault's transit engine, and records the requests with a token.
type vault struct {
	*httptest.Server
	mutex sync.Mutex
	asked []string
}

func newVault(t *testing.T) *vault {
	v := &vault{}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

// ServeHTTP implements http.Handler. The ciphertext is the plaintext with a prefix.
func (v *vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mutex.Lock()
	v.asked = append(v.asked, r.URL.Path+" "+r.Header.Get("X-Vault-Token"))
	v.mutex.Unlock()
	var body struct{ Plaintext, Ciphertext string }
	_ = json.NewDecoder(r.Body).Decode(&body) // an empty answer fails the test
	_, _ = fmt.Fprintf(w, `{"data":{"ciphertext":"vault:v1:%s","plaintext":%q}}`,
		body.Plaintext, strings.TrimPrefix(body.Ciphertext, "vault:v1:"))
}

// take returns the requests since the last call.
func (v *vault) take() []string {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	asked := v.asked
	v.asked = nil
	return asked
}

// norn sends no token to an address that only a file of the repository names, and doctor sends nothing to any key
// service.
func TestVaultToken(t *testing.T) {
	t.Parallel()
	w := running(t)
	server := newVault(t)
	const token = "hvs.canary-of-the-user"
	asks := func(code int, allowed string, args ...string) []string {
		t.Helper()
		w.Env = []string{"VAULT_TOKEN=" + token, "SOPS_HC_VAULT_ALLOWLIST=" + allowed}
		if out := expect(w, code, args); strings.Contains(out, token) {
			t.Errorf("norn %s shows the token", strings.Join(args, " "))
		}
		return server.take()
	}
	w.WriteApp("shop", workerApp+"secrets: [TOKEN]\n")
	bed.WriteFiles(t, filepath.Join(w.Home, "shop"), map[string]string{
		".sops.yaml": "creation_rules: [{hc_vault_transit_uri: \"" + server.URL + "/v1/transit/keys/shop\"}]\n",
	})
	if asked := asks(2, "", "secrets", "set", "shop", "TOKEN=some-value"); asked != nil {
		t.Errorf("secrets set: %q", asked)
	}
	if asked := asks(0, server.URL, "secrets", "set", "shop", "TOKEN=some-value"); asked == nil {
		t.Error("secrets set does not ask an allowed server")
	}
	commands := map[string][]string{
		"list":   {"secrets", "list", "shop"},
		"doctor": {"doctor", "shop"},
		"deploy": {"deploy", "shop", "--image", image("second")},
		"exec":   {"secrets", "exec", "shop", "--", "true"},
		"rotate": {"secrets", "rotate", "shop"},
	}
	for name, refused := range map[string]int{"list": 0, "doctor": 0, "deploy": 2, "exec": 2, "rotate": 2} {
		if asked := asks(refused, "", commands[name]...); asked != nil {
			t.Errorf("%s: %q", name, asked)
		}
		asked := asks(0, server.URL, commands[name]...)
		if name == "doctor" && asked != nil || name != "doctor" && (asked == nil || !strings.HasSuffix(asked[0], " "+token)) {
			t.Errorf("%s with an allowed server: %q", name, asked)
		}
	}
	expect(w, 0, []string{"secrets", "list", "shop", "-o", "json"}, `"changed":false`)
	expect(w, 0, []string{"secrets", "set", "shop", "TOKEN=another-value"})
	expect(w, 0, []string{"secrets", "list", "shop", "-o", "json"}, `"changed":true`)
	w.Env = nil
	refused := "norn sends no credentials to " + server.URL
	expect(w, 2, commands["exec"], refused, "SOPS_HC_VAULT_ALLOWLIST="+server.URL)
	expect(w, 0, commands["list"], refused, "changed values are not detected")
	expect(w, 0, commands["doctor"], "this command asks no key service")
}
