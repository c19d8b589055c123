package pki

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"norn/devcluster/internal/state"
)

// Context is the context in a devcluster's kubeconfig.
const Context = "devcluster"

// WriteKubeconfig writes a kubeconfig for server to path, with the keys of user: admin, kube-proxy or a NodeFile.
func WriteKubeconfig(dir, user, path string, server url.URL) error {
	part := func(file string) (string, error) {
		data, err := os.ReadFile(filepath.Join(dir, file))
		return base64.StdEncoding.EncodeToString(data), err
	}
	ca, err := part("ca.crt")
	if err != nil {
		return fmt.Errorf("write the kubeconfig: %w", err)
	}
	cert, err := part(user + ".crt")
	if err != nil {
		return fmt.Errorf("write the kubeconfig: %w", err)
	}
	key, err := part(user + ".key")
	if err != nil {
		return fmt.Errorf("write the kubeconfig: %w", err)
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: %[1]s
contexts:
- name: %[1]s
  context: {cluster: %[1]s, user: %[6]s}
clusters:
- name: %[1]s
  cluster:
    server: %[2]s
    certificate-authority-data: %[3]s
users:
- name: %[6]s
  user:
    client-certificate-data: %[4]s
    client-key-data: %[5]s
`, Context, server.String(), ca, cert, key, user)
	return state.WriteFile(path, []byte(text), 0o600)
}
