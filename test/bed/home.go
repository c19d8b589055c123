package bed

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// EmptyHome gives the test an empty home folder, without the machine's configuration.
func EmptyHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("KUBECONFIG", "")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Chdir(home)
	return home
}

// FakeKubeconfig returns a kubeconfig with a context "here" for a server. It contains a token that norn must not
// print.
func FakeKubeconfig(server string, ca []byte) string {
	return fmt.Sprintf(fakeKubeconfig, server, base64.StdEncoding.EncodeToString(ca))
}

const fakeKubeconfig = `apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: %q, certificate-authority-data: %q}}]
users: [{name: u, user: {token: sEcReT-tOkEn}}]
`

// HomeWithApps gives the test a home folder with two apps and the kubeconfig of a missing cluster. It sets a long
// timeout for completion.
func HomeWithApps(t *testing.T) string {
	t.Helper()
	encrypted, err := os.ReadFile(filepath.Join(Root(t), "testdata", "apps", "hello", "secrets.enc.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	home := EmptyHome(t)
	t.Setenv("NORN_COMPLETION_TIMEOUT", "1m")
	t.Setenv("KUBECONFIG", filepath.Join(home, "kubeconfig"))
	WriteFiles(t, home, map[string]string{
		"kubeconfig":                     FakeKubeconfig("https://127.0.0.1:1", nil),
		"projects/shop/infraspec.yaml":   "app: shop\nrole: worker\nsecrets: [HELLO_TOKEN, OTHER]\n",
		"projects/shop/secrets.enc.yaml": string(encrypted),
		"projects/shop/snapshots/shop_0123456789ab_20260102T030405Z.dump": "",
		"projects/beat/infraspec.yaml":                                    "app: beat\nrole: worker\n",
		"projects/none/readme":                                            "",
	})
	shop := filepath.Join(home, "projects", "shop")
	for _, args := range []string{"init -q -b main", "commit -q --allow-empty -m first", "tag v1.4.0", "branch fix"} {
		Git(t, shop, strings.Fields(args)...)
	}
	return home
}
