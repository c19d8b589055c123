package connect

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// Errors never contain the password of a server address, in any notation.
func TestAddressWithoutCredentials(t *testing.T) {
	for address, want := range map[string]string{
		"https://127.0.0.1:1":                       "https://127.0.0.1:1",
		"127.0.0.1:1":                               "127.0.0.1:1",
		"https://user:canary@127.0.0.1:1":           "https://127.0.0.1:1",
		"user:canary@127.0.0.1:1":                   "127.0.0.1:1",
		"https://user:canary%zz@127.0.0.1:1":        "https://127.0.0.1:1",
		"https://user:12/canary@127.0.0.1:1/path":   "https://127.0.0.1:1/path",
		"https://user:c@nary@127.0.0.1:1":           "https://127.0.0.1:1",
		"https://us er:can#ary?@127.0.0.1:1":        "https://127.0.0.1:1",
		"https://127.0.0.1:1/?token=canary":         "https://127.0.0.1:1/",
		"https://user:cana\"ry\\canary@127.0.0.1:x": "https://127.0.0.1:x",
		"://canary@": "://",
	} {
		if got := withoutCredentials(address); got != want {
			t.Errorf("withoutCredentials(%q) = %q, want %q", address, got, want)
		}
		path := filepath.Join(t.TempDir(), "kubeconfig")
		text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\n"+
			"contexts: [{name: c, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: %q}}]\n", address)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		flags := genericclioptions.NewConfigFlags(true)
		*flags.KubeConfig = path
		_, err := Dial(t.Context(), flags, Caller{UserAgent: "test"})
		var unavailable *UnavailableError
		if !errors.As(err, &unavailable) || strings.Contains(err.Error()+unavailable.Reason+unavailable.Hint(), "nary") {
			t.Errorf("%q: %v", address, err)
		}
	}
}
