package secrets

import (
	"testing"

	"github.com/getsops/sops/v3/keyservice"
)

func TestCheckAddress(t *testing.T) {
	vault := func(address string) *keyservice.Key {
		return &keyservice.Key{KeyType: &keyservice.Key_VaultKey{VaultKey: &keyservice.VaultKey{VaultAddress: address}}}
	}
	azure := func(address string) *keyservice.Key {
		key := &keyservice.AzureKeyVaultKey{VaultUrl: address}
		return &keyservice.Key{KeyType: &keyservice.Key_AzureKeyvaultKey{AzureKeyvaultKey: key}}
	}
	aws := func(arn string) *keyservice.Key {
		return &keyservice.Key{KeyType: &keyservice.Key_KmsKey{KmsKey: &keyservice.KmsKey{Arn: arn}}}
	}
	const ours, theirs = "https://vault.example.com:8200", "https://vault.example.com.attacker.example"
	for name, row := range map[string]struct {
		list, own string // the user's SOPS_HC_VAULT_ALLOWLIST and VAULT_ADDR
		key       *keyservice.Key
		refused   bool
	}{
		"nothing named":             {"", "", vault(ours), true},
		"this machine, not named":   {"", "", vault("http://127.0.0.1:8200"), true},
		"named in VAULT_ADDR":       {"", ours + "/", vault(ours), false},
		"another than VAULT_ADDR":   {"", "https://vault.example.com", vault(theirs), true},
		"another port":              {"", "https://vault.example.com", vault(ours), true},
		"named in the list":         {"https://other.example.com, " + ours, "", vault(ours), false},
		"left to SOPS":              {"https://other.example.com", "", vault(ours), false},
		"all":                       {"all", "", vault(ours), false},
		"all, without TLS":          {"all", "", vault("http://vault.example.com"), true},
		"all, a socket":             {"all", "", vault("unix:///run/vault.sock"), true},
		"all, this machine":         {"all", "", vault("http://[::1]:8200"), false},
		"all, not this machine":     {"all", "", vault("http://127.0.0.1.attacker.example"), true},
		"named without TLS":         {"http://vault.internal", "", vault("http://vault.internal"), false},
		"VAULT_ADDR without TLS":    {"", "http://vault.internal", vault("http://vault.internal"), false},
		"Azure":                     {"", "", azure("https://team.vault.azure.net"), false},
		"Azure without TLS":         {"", "", azure("http://team.vault.azure.net"), true},
		"Azure's name in another's": {"", "", azure("https://team.vault.azure.net.attacker.example"), true},
		"AWS":                       {"", "", aws("arn:aws:kms:eu-central-1:123456789012:key/1"), false},
		"AWS, a host as region":     {"", "", aws("arn:aws:kms:attacker.example/:123456789012:key/1"), true},
		"AWS, a region with a colon": {
			"", "", aws("arn:aws:kms:attacker.example:443/:123456789012:key/1"), true,
		},
		"age": {"", "", &keyservice.Key{KeyType: &keyservice.Key_AgeKey{AgeKey: &keyservice.AgeKey{}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SOPS_HC_VAULT_ALLOWLIST", row.list)
			t.Setenv("VAULT_ADDR", row.own)
			if err := checkAddress(row.key); (err != nil) != row.refused {
				t.Errorf("checkAddress: %v", err)
			}
		})
	}
}
