package secrets

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/getsops/sops/v3/hcvault"
	"github.com/getsops/sops/v3/keyservice"
)

// errNotAsked reports that OpenLocally does not ask a key service.
var errNotAsked = errors.New("not asked")

// refusedError reports the address of a key service that norn sends no credentials to.
type refusedError struct{ address, reason, advice string }

// Error names the address and the reason.
func (e *refusedError) Error() string {
	return fmt.Sprintf("norn sends no credentials to %s: %s", e.address, e.reason)
}

// inNetwork reports whether a network service holds a key, rather than this machine.
func inNetwork(key *keyservice.Key) bool {
	switch key.GetKeyType().(type) {
	case *keyservice.Key_AgeKey, *keyservice.Key_PgpKey:
		return false
	}
	return true
}

// checkAddress returns a *refusedError if a SOPS file, which may come from anyone, could send the user's credentials to
// a server of its choice. Keys of GCP and Huawei contain no address.
func checkAddress(key *keyservice.Key) error {
	switch k := key.GetKeyType().(type) {
	case *keyservice.Key_VaultKey:
		return checkVault(k.VaultKey.GetVaultAddress())
	case *keyservice.Key_AzureKeyvaultKey:
		return checkAzure(k.AzureKeyvaultKey.GetVaultUrl())
	case *keyservice.Key_KmsKey:
		if arn := k.KmsKey.GetArn(); !awsKey.MatchString(arn) {
			return &refusedError{arn, "it is not the ARN of a KMS key", "fix the ARN"}
		}
	}
	return nil
}

// checkVault accepts the servers that the user names: in SOPS_HC_VAULT_ALLOWLIST, which SOPS checks, or in VAULT_ADDR.
// An address without TLS must be named with its scheme, unless it is on this machine.
func checkVault(address string) error {
	list, own := os.Getenv(hcvault.SopsHCVaultAllowlist), os.Getenv("VAULT_ADDR")
	named := slices.ContainsFunc(append(strings.Split(list, ","), own), func(one string) bool {
		one = strings.TrimSpace(one)
		return one != "" && strings.HasPrefix(withSlash(address), withSlash(one))
	})
	u, err := url.Parse(address)
	switch {
	case named:
		return nil
	case list == "":
		return &refusedError{
			address, fmt.Sprintf("neither %s nor VAULT_ADDR names it", hcvault.SopsHCVaultAllowlist),
			fmt.Sprintf("if you trust this server with your Vault token, set %s=%s", hcvault.SopsHCVaultAllowlist, address),
		}
	case err != nil || u.Scheme != "https" && (u.Scheme != "http" || !thisMachine(u.Hostname())):
		return &refusedError{
			address, "it does not use TLS",
			fmt.Sprintf("use https, or name the address in %s", hcvault.SopsHCVaultAllowlist),
		}
	}
	return nil
}

func withSlash(address string) string { return strings.TrimSuffix(address, "/") + "/" }

func thisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// azureDomains are the domains of Azure Key Vault and Managed HSM (learn.microsoft.com: Azure Key Vault keys, secrets
// and certificates overview, DNS suffixes for object identifiers).
var azureDomains = []string{
	".vault.azure.net", ".managedhsm.azure.net", ".vault.azure.cn", ".managedhsm.azure.cn",
	".vault.usgovcloudapi.net", ".managedhsm.usgovcloudapi.net", ".vault.microsoftazure.de",
}

func checkAzure(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || !slices.ContainsFunc(azureDomains, func(domain string) bool {
		return strings.HasSuffix(strings.ToLower(u.Hostname()), domain)
	}) {
		return &refusedError{address, "it is not an https address of Azure Key Vault", "fix the address of the key vault"}
	}
	return nil
}

// awsKey matches the ARN of a key or an alias. SOPS makes the server's name from the region.
var awsKey = regexp.MustCompile(`^arn:aws[\w-]*:kms:[a-z0-9-]+:[0-9]+:(key|alias)/.+$`)
